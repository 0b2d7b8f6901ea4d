"""Writes agreement.json: labels and what scikit-learn says of them. Run: pip install scikit-learn; python agreement.py"""
import json, random, pathlib
from sklearn.metrics import accuracy_score, cohen_kappa_score, confusion_matrix

random.seed(20261124)
cases = []
for name, labels, noise, count in [
    ("yes and no", ["no", "yes"], 0.2, 60), ("no better than chance", ["no", "yes"], 1.0, 80),
    ("five steps", [1, 2, 3, 4, 5], 0.4, 120), ("words", ["bad", "fair", "good"], 0.3, 50), ("gaps", [1, 5, 10], 0.5, 40),
    ("opposite", ["no", "yes"], -1, 30),
]:
    human = [random.choice(labels) for _ in range(count)]
    judge = [labels[len(labels) - 1 - labels.index(h)] if noise < 0 else random.choice(labels) if random.random() < noise else h for h in human]
    cases.append({"name": name, "human": human, "judge": judge, "labels": labels, "agreement": accuracy_score(human, judge),
                  "confusion": confusion_matrix(human, judge, labels=labels).tolist(),
                  "kappa": {w or "none": cohen_kappa_score(human, judge, labels=labels, weights=w) for w in (None, "linear", "quadratic")}})
pathlib.Path(__file__).with_name("agreement.json").write_text(json.dumps(cases, indent=1))

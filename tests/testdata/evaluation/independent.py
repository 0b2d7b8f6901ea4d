"""Computes independent.json, with which the scorers' and statistics' numbers are compared.

Run once: pip install numpy scipy rouge-score regex && python independent.py
The words of texts in other languages are found by another way than in the package: a regular expression.
"""

import json
import random
from collections import Counter
from fractions import Fraction

import numpy as np
import regex
from rouge_score import rouge_scorer
from scipy import stats

random.seed(20261124)
rng = np.random.default_rng(20261124)


class AnyLanguage:
    def tokenize(self, text):
        return regex.findall(r"[\p{L}\p{M}\p{N}]+", text.lower())


def f1(one, other):
    shared = sum((Counter(one) & Counter(other)).values())
    if shared == 0:
        return 0.0
    precision, recall = shared / len(one), shared / len(other)
    return 2 * precision * recall / (precision + recall)


english = [
    ("the cat sat on the mat", "the cat is on the mat"),
    ("The quick brown fox jumps over the lazy dog.", "A quick brown dog jumps over the lazy fox!"),
    ("Paris is the capital of France", "The capital of France is Paris"),
    ("one", "two"),
    ("police killed the gunman", "the gunman police killed"),
    ("", "nothing was said"),
]
vocabulary = "alpha beta gamma delta epsilon zeta eta theta iota kappa".split()
for _ in range(60):
    pick = lambda: " ".join(random.choices(vocabulary, k=random.randint(1, 40)))
    english.append((pick(), pick()))
others = [
    ("Der schnelle braune Fuchs springt über den faulen Hund", "Der faule Hund schläft, und der Fuchs springt über ihn"),
    ("Быстрая лиса прыгает через собаку", "Лиса прыгает через ленивую собаку"),
    ("Η αλεπού πηδά πάνω από τον σκύλο", "Πάνω από τον σκύλο πηδά η αλεπού"),
    ("El zorro salta sobre el perro perezoso", "El perro salta"),
    ("الثعلب يقفز فوق الكلب", "الكلب يقفز فوق الثعلب"),
]
plain = rouge_scorer.RougeScorer(["rougeL"])
any_language = rouge_scorer.RougeScorer(["rougeL"], tokenizer=AnyLanguage())
tokenize = AnyLanguage().tokenize
similarity = [
    {
        "answer": answer,
        "expected": expected,
        "rougeL": (plain if i < len(english) else any_language).score(expected, answer)["rougeL"].fmeasure,
        "token_f1": f1(tokenize(answer), tokenize(expected)),
    }
    for i, (answer, expected) in enumerate(english + others)
]

samples = []
for values in (
    [3.5],
    [1, 2],
    rng.normal(100, 15, 101).tolist(),
    rng.exponential(250, 1000).tolist(),
    rng.integers(0, 5, 64).tolist(),
    [1e16, 1, -1e16, 1],
):
    exact = float(sum(map(Fraction, values)) / len(values))
    samples.append({"values": values, "mean": exact, "p50": float(np.percentile(values, 50)), "p95": float(np.percentile(values, 95))})

wilson = []
for passed, count in ((0, 1), (1, 1), (0, 10), (10, 10), (3, 7), (50, 100), (799, 1000), (9999, 10000)):
    interval = stats.binomtest(passed, count).proportion_ci(0.95, method="wilson")
    wilson.append({"passed": passed, "count": count, "low": float(interval.low), "high": float(interval.high)})

MASK = 0xFFFFFFFF


def counter_words(seed):
    state = seed & MASK
    while True:
        state = (state + 0x9E3779B9) & MASK
        word = state
        word = ((word ^ (word >> 16)) * 0x85EBCA6B) & MASK
        word = ((word ^ (word >> 13)) * 0xC2B2AE35) & MASK
        yield word ^ (word >> 16)


def xoshiro128(seed):
    """After the reference in C by D. Blackman and S. Vigna (xoshiro128**)."""
    words = counter_words(seed)
    s = [next(words) for _ in range(4)]
    rotl = lambda x, k: ((x << k) | (x >> (32 - k))) & MASK
    while True:
        yield (rotl((s[1] * 5) & MASK, 7) * 9) & MASK
        t = (s[1] << 9) & MASK
        s[2] ^= s[0]
        s[3] ^= s[1]
        s[1] ^= s[2]
        s[0] ^= s[3]
        s[2] ^= t
        s[3] = rotl(s[3], 11)


def bootstrap(differences, seed, resamples):
    draw = xoshiro128(seed)
    n = len(differences)
    picks = np.fromiter((next(draw) * n >> 32 for _ in range(n * resamples)), dtype=np.int64, count=n * resamples)
    means = np.asarray(differences)[picks.reshape(resamples, n)].mean(axis=1)
    return [float(x) for x in np.percentile(means, [2.5, 97.5])]


# Two models answer 150 rows; 12 rows of the first fail (no answer).
table = []
for i in range(150):
    expected = " ".join(random.choices(vocabulary, k=random.randint(2, 6)))
    words = expected.split()
    baseline = expected if random.random() < 0.5 else " ".join(random.sample(words, len(words)))
    candidate = expected if random.random() < 0.7 else " ".join(words[:-1] + ["omega"])
    table.append({"id": f"row {i}", "expected": expected, "baseline": baseline, "candidate": candidate})


def column(name, score):
    return np.array([float(score(row[name], row["expected"])) for row in table])


def both(score, seed):
    before, after = column("baseline", score), column("candidate", score)
    differences = after - before
    reference = stats.bootstrap((differences,), np.mean, n_resamples=10_000, method="percentile", rng=1).confidence_interval
    return {
        "baseline": {"mean": before.mean(), "p50": np.percentile(before, 50), "p95": np.percentile(before, 95)},
        "candidate": {"mean": after.mean(), "p50": np.percentile(after, 50), "p95": np.percentile(after, 95)},
        "difference": differences.mean(),
        "interval": bootstrap(differences, seed, 2000),
        "scipy_interval": [reference.low, reference.high],
        "improved": [row["id"] for row, d in zip(table, differences) if d > 0],
        "regressed": [row["id"] for row, d in zip(table, differences) if d < 0],
    }


evaluation = {
    "table": table,
    "seed": 5,
    "resamples": 2000,
    "exact_match": both(lambda answer, expected: answer == expected, 5),
    "rougeL": both(lambda answer, expected: plain.score(expected, answer)["rougeL"].fmeasure, 5),
}
passed = int(column("candidate", lambda a, e: a == e).sum())
interval = stats.binomtest(passed, len(table)).proportion_ci(0.95, method="wilson")
evaluation["candidate_pass"] = {"passed": passed, "low": float(interval.low), "high": float(interval.high)}

with open("independent.json", "w") as file:
    json.dump(
        {"similarity": similarity, "samples": samples, "wilson": wilson, "evaluation": evaluation},
        file, ensure_ascii=False, indent=1, default=float,
    )

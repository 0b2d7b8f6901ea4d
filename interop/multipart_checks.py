"""What MLflow and S3 have of multipart.ts.

Usage: python multipart_checks.py JSON BUCKET, with what multipart.ts printed; MLFLOW_S3_ENDPOINT_URL names the S3.
"""

import hashlib
import json
import os
import sys
import tempfile

import boto3
import mlflow
from checks import check, done, equal

made = json.loads(sys.argv[1])
bucket = sys.argv[2]
s3 = boto3.client("s3", endpoint_url=os.environ["MLFLOW_S3_ENDPOINT_URL"])


@check("mlflow.artifacts.download_artifacts brings the same bytes")
def _():
    with tempfile.TemporaryDirectory() as folder:
        path = mlflow.artifacts.download_artifacts(f"runs:/{made['run_id']}/{made['path']}", dst_path=folder)
        with open(path, "rb") as file:
            equal(hashlib.sha256(file.read()).hexdigest(), made["sha256"])


@check("S3 has the one file, sent in parts")
def _():
    objects = s3.list_objects_v2(Bucket=bucket)["Contents"]
    equal([os.path.basename(found["Key"]) for found in objects], [os.path.basename(made["path"])])
    equal(objects[0]["Size"], made["size"])
    # So ends the tag of what was put together.
    equal(objects[0]["ETag"].strip('"').split("-")[1:], [str(made["parts"])])


@check("no upload that was given up left its parts in S3")
def _():
    equal(s3.list_multipart_uploads(Bucket=bucket).get("Uploads", []), [])


done()

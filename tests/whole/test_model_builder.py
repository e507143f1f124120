"""The SDK's ModelBuilder serves a model that was saved as TorchScript, without any code of the model's own."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.support.sdk_scripts import result_of

CONTAINER = Path(__file__).parents[2] / ".venv-container"
SAVE = """
import sys, torch
layer = torch.nn.Linear(2, 1, bias=False)
layer.weight.data.fill_(3.0)
torch.jit.save(torch.jit.trace(layer, torch.ones(1, 2)), sys.argv[1])
"""
USER = """
import json, tarfile
from sagemaker.core.helper.session_helper import Session, get_execution_role
from sagemaker.core.resources import Endpoint, EndpointConfig
from sagemaker.serve.model_builder import ModelBuilder

with tarfile.open("model.tar.gz", "w:gz") as archive:
    archive.add("model.pth")
session = Session()
data = session.upload_data("model.tar.gz", key_prefix="models")
image = "763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-inference:2.3.0-cpu-py311-ubuntu20.04-sagemaker"
role = get_execution_role()
builder = ModelBuilder(image_uri=image, s3_model_data_url=data, role_arn=role, instance_type="ml.m5.large")
model = builder.build(model_name="tripling")
endpoint = builder.deploy(endpoint_name="tripling", initial_instance_count=1)
answer = endpoint.invoke(body=json.dumps([[1.0, 2.0]]), content_type="application/json")
prediction = json.loads(answer.body.read())
config = Endpoint.get("tripling").endpoint_config_name
endpoint.delete()
EndpointConfig.get(config).delete()
model.delete()
with open("result.json", "w") as file:
    json.dump(prediction, file)
"""


def test_a_model_builder_deploys_a_model(tmp_path: Path) -> None:
    subprocess.run([CONTAINER / "bin" / "python", "-c", SAVE, str(tmp_path / "model.pth")], check=True)
    assert result_of(USER, tmp_path, container=CONTAINER) == [[9.0]]

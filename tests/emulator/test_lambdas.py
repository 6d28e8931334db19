"""Functions run with what Lambda preinstalls and what their archive brings, as their role."""

import json
from typing import Any

from tests.emulator.toys import Toys, allow, archive

LAMBDA = "lambda.amazonaws.com"


def invoke(toys: Toys, role: str, files: dict[str, str], **settings: Any) -> dict[str, Any]:
    client, name = toys.client("lambda"), toys.name("function")
    client.create_function(
        FunctionName=name,
        Role=role,
        Runtime="python3.13",
        Handler="main.handler",
        Code={"ZipFile": archive(files)},
        Timeout=20,
        **settings,
    )
    return dict(json.loads(client.invoke(FunctionName=name)["Payload"].read()))


def test_it_has_its_archive_and_boto3_and_not_this_checkout(toys: Toys) -> None:
    body = (
        "from importlib.util import find_spec\n"
        "from importlib.metadata import entry_points\n"
        "def handler(event, context):\n"
        "    names = ('boto3', 'shop', 'orjson', 'pyarrow', 'runtime', 'emulator', 'pulumi')\n"
        "    points = [point.name for point in entry_points(group='shop.plugins')]\n"
        "    return {'found': [name for name in names if find_spec(name)], 'points': points}\n"
    )
    files = {
        "main.py": body,
        "shop/__init__.py": "",
        "shop-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: shop\nVersion: 1.0\n",
        "shop-1.0.dist-info/entry_points.txt": "[shop.plugins]\ndoor = shop:open\n",
    }
    assert invoke(toys, toys.role(LAMBDA), files) == {"found": ["boto3", "shop"], "points": ["door"]}


def test_it_has_its_roles_rights_only(toys: Toys) -> None:
    bucket = toys.bucket()
    code = (
        "import boto3\n"
        "def handler(event, context):\n"
        "    try:\n"
        f"        boto3.client('s3').put_object(Bucket='{bucket}', Key='a', Body=b'1')\n"
        "        return {'answer': 'written'}\n"
        "    except Exception as error:\n"
        "        return {'answer': str(error)}\n"
    )
    assert "AccessDenied" in invoke(toys, toys.role(LAMBDA), {"main.py": code})["answer"]
    role = toys.role(LAMBDA, allow("s3:PutObject", f"arn:aws:s3:::{bucket}/*"))
    assert invoke(toys, role, {"main.py": code}) == {"answer": "written"}

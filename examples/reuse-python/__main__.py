"""A project of its own: watches costs, and lets analysts read a lake, with buckets and a topic that it has already.

`pulumi install` makes the environment that `requirements.txt` asks for; then `pulumi up`.
"""

from pathlib import Path

import pulumi

from components.budget import Budget
from components.chat import Chat
from components.lake_formation import LakeFormation

CONTRACTS = Path(__file__).resolve().parents[2] / "contracts"

config = pulumi.Config()
topic = config.require("topicArn")
buckets = config.require_object("buckets")

budget = Budget("bookshop", {"monthly_dollars": 50, "topic_arns": [topic]})
Chat("bookshop", {"topic_arns": [topic], "slack": {"workspace": "T0123ABCDEF", "channel": "C0123ABCDEF"}})
LakeFormation(
    "bookshop",
    {
        "contracts": str(CONTRACTS),
        "database": config.require("database"),
        "processed_bucket": buckets["processed"],
        "quarantine_bucket": buckets["quarantine"],
        "ledger_bucket": buckets["ledger"],
        "readers": config.require_object("readers"),
    },
)
pulumi.export("budget", budget.budget)

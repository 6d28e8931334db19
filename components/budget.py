"""A monthly limit of what the pipeline may cost, and who hears of it."""

from collections.abc import Sequence
from typing import NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from components.arguments import refuse_unknown
from components.naming import once, type_token

_ALERTS = (("ACTUAL", 80), ("FORECASTED", 100))
"""Kinds of cost and the per cent of the limit above which each is told."""


class BudgetArgs(TypedDict):
    monthly_dollars: pulumi.Input[int]
    """US dollars that a month may cost."""

    topic_arns: NotRequired[Sequence[pulumi.Input[str]]]
    """Topics that are told, at most one; it must let budgets publish, as `Notices` does on request."""

    emails: NotRequired[Sequence[str]]
    """Addresses that are told, at most ten."""

    cost_tag: NotRequired[pulumi.Input[str]]
    """Tag to count, as `key$value`; it must be activated for cost allocation. Default: the account's whole cost."""


class Budget(pulumi.ComponentResource):
    """A budget that warns when 80 % of its limit is spent, or when the month is forecast to exceed it.

    A budget only tells; it stops nothing. AWS measures costs a few times a day.
    """

    budget: pulumi.Output[str]
    """Name of the budget."""

    def __init__(self, name: str, args: BudgetArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        refuse_unknown(name, args, BudgetArgs)
        super().__init__(type_token("Budget"), name, {}, once("retail:budget:Budget", opts))
        topics, emails = args.get("topic_arns", []), args.get("emails", [])
        if not topics and not emails:
            raise ValueError(f"{name}: a budget that nobody hears of: give topic_arns or emails")
        # Without a rounded text the engine would see a change in 50 and 50.0.
        limit = pulumi.Output.from_input(args["monthly_dollars"]).apply(lambda dollars: str(int(dollars)))
        tag = args.get("cost_tag")
        budget = aws.budgets.Budget(
            name,
            name=f"{name}-monthly",
            budget_type="COST",
            limit_amount=limit,
            limit_unit="USD",
            time_unit="MONTHLY",
            cost_filters=[{"name": "TagKeyValue", "values": [pulumi.Output.concat("user:", tag)]}] if tag else None,
            notifications=[
                {
                    "notification_type": kind,
                    "comparison_operator": "GREATER_THAN",
                    "threshold": threshold,
                    "threshold_type": "PERCENTAGE",
                    "subscriber_sns_topic_arns": topics or None,
                    "subscriber_email_addresses": emails or None,
                }
                for kind, threshold in _ALERTS
            ],
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.budget = budget.name
        self.register_outputs({"budget": self.budget})

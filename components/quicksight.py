"""The lake in Amazon Quick Sight: a data source, and a data set for each contract."""

from collections.abc import Sequence
from pathlib import Path
from typing import NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from components.arguments import refuse_unknown
from components.naming import once, type_token
from components.policies import (
    READ_CATALOGUE,
    Account,
    ServiceRole,
    allow,
    bucket_arn,
    current_account,
    from_account,
    service_role,
)
from components.storage import QUERY_RESULTS_PREFIX
from runtime.contract import Contract
from runtime.contract_file import load_contracts
from runtime.tables import Column, dataset_table

_CATALOGUE = "AwsDataCatalog"
_TYPES = {
    "bigint": "INTEGER",
    "boolean": "BOOLEAN",
    "date": "DATETIME",
    "int": "INTEGER",
    "string": "STRING",
    "timestamp": "DATETIME",
}
"""https://docs.aws.amazon.com/quicksight/latest/APIReference/API_InputColumn.html"""

# https://docs.aws.amazon.com/quicksight/latest/APIReference/API_ResourcePermission.html
_USE_DATA_SOURCE = ("DescribeDataSource", "DescribeDataSourcePermissions", "PassDataSource")
_USE_DATA_SET = (
    *("DescribeDataSet", "DescribeDataSetPermissions", "PassDataSet", "DescribeIngestion", "ListIngestions"),
    *("DescribeRefreshSchedule", "ListRefreshSchedules"),
)


class QuickSightArgs(TypedDict):
    contracts: str
    """Folder of the contracts; each gives a data set, without the fields that it marks `personal`."""

    database: pulumi.Input[str]
    """Name of the Glue database of the contracts' tables, which must be there."""

    workgroup: pulumi.Input[str]
    """Name of the Athena workgroup that queries run in."""

    processed_bucket: pulumi.Input[str]
    """Name of the bucket of accepted rows."""

    result_bucket: pulumi.Input[str]
    """Name of the bucket that takes the results of the workgroup's queries, below `athena-results/`."""

    data_key_arn: NotRequired[pulumi.Input[str | None]]
    """Key that these buckets are encrypted with. Default: S3's own keys."""

    users: Sequence[str]
    """ARNs of the Quick Sight users and groups that may use the data sets."""

    refresh_time: NotRequired[str]
    """When the data sets are read anew each day, in UTC. Default 04:00."""


class QuickSight(pulumi.ComponentResource):
    """An Athena data source and, of each contract's accepted rows, a data set that is read anew every day.

    The account must have a Quick Sight subscription already. The data sets are copies (SPICE): dashboards cost
    no queries, and show the rows as they were at the last refresh. Queries run with a role of their own, which
    reads accepted rows and nothing else; the account-wide role of Quick Sight isn't touched.
    """

    data_source_arn: pulumi.Output[str]
    """ARN of the data source."""

    def __init__(self, name: str, args: QuickSightArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        refuse_unknown(name, args, QuickSightArgs)
        super().__init__(type_token("QuickSight"), name, {}, once("retail:quicksight:QuickSight", opts))
        self._name, self._args = name, args
        self._options = pulumi.ResourceOptions(parent=self)
        account = current_account(self)
        role = self._role(account)
        source = aws.quicksight.DataSource(
            name,
            data_source_id=name,
            name=name,
            type="ATHENA",
            parameters={"athena": {"work_group": args["workgroup"], "role_arn": role.role.arn}},
            ssl_properties={"disable_ssl": False},
            permissions=[_permission(user, _USE_DATA_SOURCE) for user in args["users"]],
            # Quick Sight tries the connection at once.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[role.policy]),
        )
        for contract in load_contracts(Path(args["contracts"])):
            self._data_set(contract, source)
        self.data_source_arn = source.arn
        self.register_outputs({"data_source_arn": self.data_source_arn})

    def _role(self, account: Account) -> ServiceRole:
        child, args = f"{self._name}-quicksight", self._args
        processed, results, key = args["processed_bucket"], args["result_bucket"], args.get("data_key_arn")
        database = args["database"]
        catalogue = account.database_arns(database)
        return service_role(
            child,
            "quicksight.amazonaws.com",
            [
                allow(
                    [
                        "athena:GetQueryExecution",
                        "athena:GetQueryResults",
                        "athena:GetQueryResultsStream",
                        "athena:GetWorkGroup",
                        "athena:StartQueryExecution",
                        "athena:StopQueryExecution",
                    ],
                    account.arn("athena", "workgroup/", args["workgroup"]),
                ),
                # A data set is made of a table as Athena describes it
                # (https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AWSQuicksightAthenaAccess.html).
                allow(
                    ["athena:GetDataCatalog", "athena:GetDatabase", "athena:GetTableMetadata"],
                    account.arn("athena", "datacatalog/", _CATALOGUE),
                ),
                allow(READ_CATALOGUE, *catalogue),
                allow(["s3:GetBucketLocation", "s3:ListBucket"], bucket_arn(processed), bucket_arn(results)),
                allow(["s3:GetObject"], bucket_arn(processed, "*")),
                allow(
                    ["s3:AbortMultipartUpload", "s3:GetObject", "s3:ListMultipartUploadParts", "s3:PutObject"],
                    bucket_arn(results, f"{QUERY_RESULTS_PREFIX}*"),
                ),
                allow(["kms:Decrypt", "kms:GenerateDataKey"], key),
            ],
            description="Queries accepted rows for the data sets of Quick Sight",
            parent=self,
            conditions=from_account(account, account.arn("quicksight", "*")),
        )

    def _data_set(self, contract: Contract, source: aws.quicksight.DataSource) -> None:
        child = f"{self._name}-{contract.name}"
        data_set = aws.quicksight.DataSet(
            child,
            data_set_id=child,
            name=child,
            import_mode="SPICE",
            physical_table_maps=[
                {
                    "physical_table_map_id": "rows",
                    "relational_table": {
                        "data_source_arn": source.arn,
                        "catalog": _CATALOGUE,
                        "schema": self._args["database"],
                        "name": contract.name,
                        "input_columns": [
                            {"name": column.name, "type": _type(column)} for column in _shown_columns(contract)
                        ],
                    },
                }
            ],
            permissions=[_permission(user, _USE_DATA_SET) for user in self._args["users"]],
            opts=self._options,
        )
        aws.quicksight.RefreshSchedule(
            child,
            data_set_id=data_set.data_set_id,
            schedule_id="daily",
            schedule={
                "refresh_type": "FULL_REFRESH",
                "schedule_frequency": {
                    "interval": "DAILY",
                    "time_of_the_day": self._args.get("refresh_time", "04:00"),
                    "timezone": "UTC",
                },
            },
            opts=pulumi.ResourceOptions(parent=data_set),
        )


def _permission(
    user: str, actions: Sequence[str]
) -> aws.quicksight.DataSourcePermissionArgsDict | aws.quicksight.DataSetPermissionArgsDict:
    return {"principal": user, "actions": [f"quicksight:{action}" for action in actions]}


def _shown_columns(contract: Contract) -> list[Column]:
    table = dataset_table(contract)
    personal = {field.name for field in contract.fields if field.personal}
    return [column for column in (*table.columns, *table.partition_columns) if column.name not in personal]


def _type(column: Column) -> str:
    return "DECIMAL" if column.type.startswith("decimal(") else _TYPES[column.type]

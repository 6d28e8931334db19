"""What makes the lake a database: catalogue, drift check and query service."""

import json
from pathlib import Path
from typing import NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from components.arguments import refuse_unknown
from components.naming import once, type_token
from components.policies import (
    Account,
    ServiceRole,
    allow,
    allow_service,
    bucket_arn,
    current_account,
    encryption_key,
    service_role,
)
from components.queries import saved_queries
from components.storage import QUERY_RESULTS_PREFIX
from runtime.contract_file import load_contracts
from runtime.tables import STORAGE_FORMATS, Table, dataset_table, ledger_table, quarantine_table


class AnalyticsArgs(TypedDict):
    contracts: str
    """Folder of the contracts; each gives a table of accepted rows and a table of refused rows."""

    processed_bucket: pulumi.Input[str]
    """Name of the bucket of accepted rows."""

    quarantine_bucket: pulumi.Input[str]
    """Name of the bucket of refused rows."""

    ledger_bucket: pulumi.Input[str]
    """Name of the ledger's bucket."""

    result_bucket: pulumi.Input[str]
    """Name of the bucket that takes the results of queries, below `athena-results/`."""

    data_key_arn: NotRequired[pulumi.Input[str | None]]
    """Key that these buckets are encrypted with. Default: S3's own keys."""

    scan_limit_gigabytes: NotRequired[pulumi.Input[int]]
    """Gigabytes that one query may scan before Athena stops it. Default 100, half a dollar."""

    crawler_schedule: NotRequired[pulumi.Input[str] | None]
    """When the drift check runs, as `cron(…)` in UTC. Default: only when somebody starts it."""

    log_retention_days: NotRequired[pulumi.Input[int]]
    """Days that the drift check's log is kept. Default 90."""


class Analytics(pulumi.ComponentResource):
    """A Glue database with the contracts' tables, a crawler as drift check, an Athena workgroup with queries.

    The tables belong to this component and partitions to the job, so the crawler changes nothing: it logs
    files that don't fit their table. It doesn't read the ledger, whose JSON would make it guess at types.
    """

    database: pulumi.Output[str]
    """Name of the Glue database."""

    crawler: pulumi.Output[str]
    """Name of the crawler that checks for drift."""

    crawler_log_group: pulumi.Output[str]
    """Name of the log group that hears of drift."""

    workgroup: pulumi.Output[str]
    """Name of the Athena workgroup."""

    def __init__(self, name: str, args: AnalyticsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        refuse_unknown(name, args, AnalyticsArgs)
        super().__init__(type_token("Analytics"), name, {}, once("retail:analytics:Analytics", opts))
        contracts = load_contracts(Path(args["contracts"]))
        account = current_account(self)
        database = aws.glue.CatalogDatabase(
            name,
            name=name.replace("-", "_"),
            description="What shops sold, which rows were refused, and what came of every upload",
            opts=pulumi.ResourceOptions(parent=self),
        )
        checked = [make(contract) for contract in contracts for make in (dataset_table, quarantine_table)]
        tables = [self._table(name, database, table, args) for table in (*checked, ledger_table())]
        self.database = database.name
        self.crawler, self.crawler_log_group = self._drift_check(name, account, database, tables[: len(checked)], args)
        self.workgroup = self._workgroup(name, account, args)
        for query in saved_queries(contracts):
            aws.athena.NamedQuery(
                f"{name}-{query.name}",
                name=query.name,
                description=query.description,
                database=database.name,
                query=query.sql,
                workgroup=self.workgroup,
                opts=pulumi.ResourceOptions(parent=self),
            )
        self.register_outputs(
            {
                "database": self.database,
                "crawler": self.crawler,
                "crawler_log_group": self.crawler_log_group,
                "workgroup": self.workgroup,
            }
        )

    def _table(
        self, name: str, database: aws.glue.CatalogDatabase, table: Table, args: AnalyticsArgs
    ) -> aws.glue.CatalogTable:
        bucket = {
            "processed": args["processed_bucket"],
            "quarantine": args["quarantine_bucket"],
            "ledger": args["ledger_bucket"],
        }[table.bucket]
        storage = STORAGE_FORMATS[table.format]
        return aws.glue.CatalogTable(
            f"{name}-{table.name}",
            name=table.name,
            database_name=database.name,
            description=table.comment,
            table_type="EXTERNAL_TABLE",
            parameters={"EXTERNAL": "TRUE", "classification": table.format},
            partition_keys=[
                {"name": column.name, "type": column.type, "comment": column.comment}
                for column in table.partition_columns
            ],
            storage_descriptor={
                "columns": [
                    {"name": column.name, "type": column.type, "comment": column.comment} for column in table.columns
                ],
                "location": pulumi.Output.concat("s3://", bucket, "/", table.prefix),
                "input_format": storage.input,
                "output_format": storage.output,
                "ser_de_info": {"serialization_library": storage.serialization_library},
            },
            opts=pulumi.ResourceOptions(parent=database),
        )

    def _drift_check(
        self,
        name: str,
        account: Account,
        database: aws.glue.CatalogDatabase,
        tables: list[aws.glue.CatalogTable],
        args: AnalyticsArgs,
    ) -> tuple[pulumi.Output[str], pulumi.Output[str]]:
        """Makes the crawler and its log; returns the names of both.

        All crawlers of an account share one log group, unless they have a security configuration with a
        key: then the group's name is made of the role's and the configuration's
        (https://docs.aws.amazon.com/glue/latest/dg/console-security-configurations.html).
        """
        crawler = f"{name}-drift-check"
        log_group_name = f"/aws-glue/crawlers-role/{crawler}-{crawler}"
        log_group_arn = account.arn("logs", f"log-group:{log_group_name}")
        key = self._log_key(crawler, account, log_group_arn)
        options = pulumi.ResourceOptions(parent=self)
        log_group = aws.cloudwatch.LogGroup(
            crawler,
            name=log_group_name,
            kms_key_id=key.arn,
            retention_in_days=args.get("log_retention_days", 90),
            opts=options,
        )
        encryption = aws.glue.SecurityConfiguration(
            crawler,
            name=crawler,
            encryption_configuration={
                "cloudwatch_encryption": {"cloudwatch_encryption_mode": "SSE-KMS", "kms_key_arn": key.arn},
                "job_bookmarks_encryption": {"job_bookmarks_encryption_mode": "DISABLED"},
                "s3_encryption": {"s3_encryption_mode": "SSE-S3"},
            },
            opts=options,
        )
        role = self._crawler_role(crawler, account, database, tables, log_group_arn, args)
        aws.glue.Crawler(
            crawler,
            name=crawler,
            description="Logs files that don't fit their table",
            role=role.role.arn,
            database_name=database.name,
            catalog_targets=[{"database_name": database.name, "tables": [table.name for table in tables]}],
            # With tables of the catalogue as targets, Glue deletes nothing and groups only this way.
            schema_change_policy={"delete_behavior": "LOG", "update_behavior": "LOG"},
            configuration=json.dumps({"Version": 1.0, "Grouping": {"TableGroupingPolicy": "CombineCompatibleSchemas"}}),
            security_configuration=encryption.name,
            schedule=args.get("crawler_schedule"),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[role.policy, log_group]),
        )
        return pulumi.Output.from_input(crawler), log_group.name

    def _log_key(self, crawler: str, account: Account, log_group_arn: pulumi.Output[str]) -> aws.kms.Key:
        """The key of the crawler's log, which CloudWatch Logs may use for that alone."""
        logs_service = account.region.apply(lambda region: f"logs.{region}.amazonaws.com")
        return encryption_key(
            crawler,
            account,
            [
                allow_service(
                    logs_service,
                    ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey"],
                    "*",
                    {"ArnEquals": {"kms:EncryptionContext:aws:logs:arn": log_group_arn}},
                )
            ],
            description=f"Encrypts the log of {crawler}",
            parent=self,
        )

    def _crawler_role(
        self,
        crawler: str,
        account: Account,
        database: aws.glue.CatalogDatabase,
        tables: list[aws.glue.CatalogTable],
        log_group_arn: pulumi.Output[str],
        args: AnalyticsArgs,
    ) -> ServiceRole:
        """What the crawler may do: read the lake and the catalogue, and log."""
        catalogue = [account.arn("glue", "catalog"), account.arn("glue", "database/", database.name)]
        table_arns = [account.arn("glue", "table/", database.name, "/", table.name) for table in tables]
        buckets = [args["processed_bucket"], args["quarantine_bucket"]]
        return service_role(
            crawler,
            "glue.amazonaws.com",
            [
                allow(["s3:ListBucket", "s3:GetBucketLocation"], *map(bucket_arn, buckets)),
                allow(["s3:GetObject"], *(bucket_arn(bucket, "*") for bucket in buckets)),
                allow(["kms:Decrypt"], args.get("data_key_arn")),
                # Not to add partitions, from which no policy keeps a crawler: docs/adr/0005-the-crawler-only-looks.md
                allow(
                    [
                        "glue:BatchGetPartition",
                        "glue:GetDatabase",
                        "glue:GetPartition",
                        "glue:GetPartitions",
                        "glue:GetTable",
                        "glue:GetTables",
                        "glue:UpdatePartition",
                        "glue:UpdateTable",
                    ],
                    *catalogue,
                    *table_arns,
                ),
                allow(["glue:GetSecurityConfiguration"], "*"),
                allow(["logs:AssociateKmsKey", "logs:CreateLogGroup"], log_group_arn),
                allow(["logs:CreateLogStream", "logs:PutLogEvents"], pulumi.Output.concat(log_group_arn, ":*")),
            ],
            description="Reads the lake and the catalogue, and logs where they differ",
            parent=self,
        )

    def _workgroup(self, name: str, account: Account, args: AnalyticsArgs) -> pulumi.Output[str]:
        key: pulumi.Output[str | None] = pulumi.Output.from_input(args.get("data_key_arn"))
        gigabytes = pulumi.Output.from_input(args.get("scan_limit_gigabytes", 100))
        workgroup = aws.athena.Workgroup(
            name,
            name=name,
            description="Queries of the lake, limited and encrypted",
            configuration={
                "enforce_workgroup_configuration": True,
                "publish_cloudwatch_metrics_enabled": True,
                "bytes_scanned_cutoff_per_query": gigabytes.apply(lambda limit: int(limit) * 10**9),
                "engine_version": {"selected_engine_version": "Athena engine version 3"},
                "result_configuration": {
                    "output_location": pulumi.Output.concat("s3://", args["result_bucket"], "/", QUERY_RESULTS_PREFIX),
                    "expected_bucket_owner": account.id,
                    "encryption_configuration": key.apply(_result_encryption),
                },
            },
            force_destroy=True,
            opts=pulumi.ResourceOptions(parent=self),
        )
        return workgroup.name


def _result_encryption(
    key_arn: str | None,
) -> aws.athena.WorkgroupConfigurationResultConfigurationEncryptionConfigurationArgsDict:
    if key_arn is None:
        return {"encryption_option": "SSE_S3"}
    return {"encryption_option": "SSE_KMS", "kms_key_arn": key_arn}

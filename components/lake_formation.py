"""Who may see which columns of the lake, by Lake Formation."""

from collections.abc import Sequence
from pathlib import Path
from typing import NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from components.arguments import refuse_unknown
from components.naming import once, type_token
from components.policies import allow, bucket_arn, current_account, from_account, service_role
from runtime.contract import Contract
from runtime.contract_file import load_contracts
from runtime.tables import dataset_table, ledger_table, quarantine_table

_INTERNAL, _PERSONAL = "internal", "personal"
_EVERYBODY = "IAM_ALLOWED_PRINCIPALS"


class LakeFormationArgs(TypedDict):
    contracts: str
    """Folder of the contracts; fields that one marks `personal` are hidden from `readers`."""

    database: pulumi.Input[str]
    """Name of the Glue database of the contracts' tables, which must be there."""

    processed_bucket: pulumi.Input[str]
    """Name of the bucket of accepted rows."""

    quarantine_bucket: pulumi.Input[str]
    """Name of the bucket of refused rows."""

    ledger_bucket: pulumi.Input[str]
    """Name of the ledger's bucket."""

    data_key_arn: NotRequired[pulumi.Input[str | None]]
    """Key that these buckets are encrypted with, if they have one."""

    readers: NotRequired[Sequence[str]]
    """ARNs of the roles that read accepted rows but for their personal columns, and the ledger."""

    personal_readers: NotRequired[Sequence[str]]
    """ARNs of the roles that read the personal columns and refused rows too."""

    administrators: NotRequired[Sequence[str]]
    """ARNs of the roles that become the administrators of the account's data lake. Default: leave these as they are.

    This is the account's and the region's setting: whoever was an administrator and isn't named is one no more, so
    name who deploys. New databases and tables are no longer open to all whom IAM lets in; those of `database` stay so.
    All other settings of the account's data lake (read-only administrators, trusted accounts, external filtering)
    go back to AWS's defaults. What is set stays when the stack goes.
    """


class LakeFormation(pulumi.ComponentResource):
    """Registers the lake's buckets, tags their tables by sensitivity, and grants them to roles by that tag.

    Tables without personal columns and the ledger are `internal`; tables with personal columns and the quarantine,
    which has rows as they came, are `personal`. Readers get what is `internal`, and of the accepted rows in what is
    `personal` all columns but those. Personal readers get both.

    The buckets are registered in hybrid access mode: Lake Formation rules the roles named here, and everybody
    else (the job, the crawler, the warehouse) goes on by IAM. Without `administrators` the account's
    `DataLakeSettings` aren't touched, so who deploys must be an administrator of the data lake already.
    https://docs.aws.amazon.com/lake-formation/latest/dg/hybrid-access-mode.html
    """

    tag: pulumi.Output[str]
    """Key of the LF-tag, whose values are `internal` and `personal`."""

    def __init__(self, name: str, args: LakeFormationArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        refuse_unknown(name, args, LakeFormationArgs)
        super().__init__(type_token("LakeFormation"), name, {}, once("retail:lake_formation:LakeFormation", opts))
        self._name, self._args = name, args
        self._account = current_account(self)
        # Nobody but an administrator may do what follows.
        settings = self._settings(args.get("administrators", []))
        self._options = pulumi.ResourceOptions(parent=self, depends_on=settings)
        locations = self._register()
        tag = aws.lakeformation.LfTag(
            name, key=f"{name}-sensitivity", values=[_INTERNAL, _PERSONAL], opts=self._options
        )
        self.tag = tag.key
        contracts = load_contracts(Path(args["contracts"]))
        tags = {
            **{contract.name: _PERSONAL if _personal_columns(contract) else _INTERNAL for contract in contracts},
            **{quarantine_table(contract).name: _PERSONAL for contract in contracts},
            ledger_table().name: _INTERNAL,
        }
        ready = [*locations, *(self._tag(table, value) for table, value in tags.items())]
        filters = {contract.name: self._filter(contract) for contract in contracts if _personal_columns(contract)}
        for number, role in enumerate(args.get("readers", []), start=1):
            grants = [
                *self._grant(f"{name}-reader-{number}", role, [_INTERNAL], ready),
                *(
                    self._grant_columns(f"{name}-{table}-reader-{number}", role, table, columns)
                    for table, columns in filters.items()
                ),
            ]
            self._opt_in(f"reader-{number}", role, list(tags), grants)
        for number, role in enumerate(args.get("personal_readers", []), start=1):
            grants = self._grant(f"{name}-personal-reader-{number}", role, [_INTERNAL, _PERSONAL], ready)
            self._opt_in(f"personal-reader-{number}", role, list(tags), grants)
        self.register_outputs({"tag": self.tag})

    def _settings(self, administrators: Sequence[str]) -> list[pulumi.Resource]:
        """The account's settings, when asked for, with what keeps our own tables open to the pipeline."""
        if not administrators:
            return []
        settings = aws.lakeformation.DataLakeSettings(
            self._name,
            admins=administrators,
            create_database_default_permissions=[],
            create_table_default_permissions=[],
            # Deleting it would take the administrators away from the whole account, not bring the former ones back.
            opts=pulumi.ResourceOptions(parent=self, retain_on_delete=True),
        )
        options = pulumi.ResourceOptions(parent=self, depends_on=[settings])
        database = self._args["database"]
        return [
            settings,
            aws.lakeformation.Permissions(
                f"{self._name}-database-by-iam",
                principal=_EVERYBODY,
                permissions=["ALL"],
                database={"catalog_id": self._account.id, "name": database},
                opts=options,
            ),
            aws.lakeformation.Permissions(
                f"{self._name}-tables-by-iam",
                principal=_EVERYBODY,
                permissions=["ALL"],
                table={"catalog_id": self._account.id, "database_name": database, "wildcard": True},
                opts=options,
            ),
        ]

    def _register(self) -> list[pulumi.Resource]:
        buckets = {
            self._name: self._args["processed_bucket"],
            f"{self._name}-quarantine": self._args["quarantine_bucket"],
            f"{self._name}-ledger": self._args["ledger_bucket"],
        }
        role = service_role(
            f"{self._name}-lake-formation",
            "lakeformation.amazonaws.com",
            [
                allow(["s3:GetObject"], *(bucket_arn(bucket, "*") for bucket in buckets.values())),
                allow(["s3:ListBucket"], *map(bucket_arn, buckets.values())),
                allow(["kms:Decrypt"], self._args.get("data_key_arn")),
            ],
            description="Reads the lake for those whom Lake Formation lets read it",
            parent=self,
            # https://docs.aws.amazon.com/lake-formation/latest/dg/cross-service-confused-deputy-prevention.html
            conditions=from_account(self._account, self._account.arn("lakeformation", "*")),
        )
        options = pulumi.ResourceOptions.merge(self._options, pulumi.ResourceOptions(depends_on=[role.policy]))
        return [
            aws.lakeformation.Resource(
                child, arn=bucket_arn(bucket), role_arn=role.role.arn, hybrid_access_enabled=True, opts=options
            )
            for child, bucket in buckets.items()
        ]

    def _tag(self, table: str, value: str) -> aws.lakeformation.ResourceLfTags:
        return aws.lakeformation.ResourceLfTags(
            f"{self._name}-{table}",
            table={"catalog_id": self._account.id, "database_name": self._args["database"], "name": table},
            lf_tags=[{"catalog_id": self._account.id, "key": self.tag, "value": value}],
            opts=self._options,
        )

    def _filter(self, contract: Contract) -> aws.lakeformation.DataCellsFilter:
        child = f"{self._name}-{contract.name}"
        return aws.lakeformation.DataCellsFilter(
            child,
            table_data={
                "table_catalog_id": self._account.id,
                "database_name": self._args["database"],
                "table_name": contract.name,
                "name": f"{child}-without-personal",
                "column_wildcard": {"excluded_column_names": _personal_columns(contract)},
                "row_filter": {"all_rows_wildcard": {}},
            },
            opts=self._options,
        )

    def _grant(
        self, child: str, role: str, values: Sequence[str], ready: Sequence[pulumi.Resource]
    ) -> list[pulumi.Resource]:
        """Lets a role find the database, and read the tables whose tag has one of these values."""
        options = pulumi.ResourceOptions.merge(self._options, pulumi.ResourceOptions(depends_on=ready))
        return [
            aws.lakeformation.Permissions(
                f"{child}-database",
                principal=role,
                permissions=["DESCRIBE"],
                database={"catalog_id": self._account.id, "name": self._args["database"]},
                opts=options,
            ),
            aws.lakeformation.Permissions(
                child,
                principal=role,
                permissions=["SELECT", "DESCRIBE"],
                lf_tag_policy={
                    "catalog_id": self._account.id,
                    "resource_type": "TABLE",
                    "expressions": [{"key": self.tag, "values": values}],
                },
                opts=options,
            ),
        ]

    def _grant_columns(
        self, child: str, role: str, table: str, columns: aws.lakeformation.DataCellsFilter
    ) -> aws.lakeformation.Permissions:
        return aws.lakeformation.Permissions(
            child,
            principal=role,
            permissions=["SELECT"],
            data_cells_filter={
                "table_catalog_id": self._account.id,
                "database_name": self._args["database"],
                "table_name": table,
                "name": columns.table_data.apply(lambda data: data.name if data else ""),
            },
            opts=self._options,
        )

    def _opt_in(self, child: str, role: str, tables: Sequence[str], grants: Sequence[pulumi.Resource]) -> None:
        """Has Lake Formation rule a role on all tables, those that it isn't granted too: these are closed to it.

        Until it opts in, a role goes on by IAM; opting in before the grants would lock it out.
        """
        database = self._args["database"]
        for table in tables:
            aws.lakeformation.OptIn(
                f"{self._name}-{table}-{child}",
                principals=[{"data_lake_principal_identifier": role}],
                resource_datas=[{"table": {"catalog_id": self._account.id, "database_name": database, "name": table}}],
                opts=pulumi.ResourceOptions(parent=self, depends_on=grants),
            )


def _personal_columns(contract: Contract) -> list[str]:
    table = dataset_table(contract)
    stored = {column.name for column in (*table.columns, *table.partition_columns)}
    return [field.name for field in contract.fields if field.personal and field.name in stored]

"""Who may see which columns of the lake, by Lake Formation."""

from collections.abc import Sequence
from pathlib import Path
from typing import NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from components.policies import allow, bucket_arn, current_account, document, trust_for
from runtime.contract import Contract
from runtime.contract_file import load_contracts
from runtime.tables import dataset_table

_INTERNAL, _PERSONAL = "internal", "personal"


class LakeFormationArgs(TypedDict):
    contracts: str
    """Folder of the contracts; fields that one marks `personal` are hidden from `readers`."""

    database: pulumi.Input[str]
    """Name of the Glue database of the contracts' tables, which must be there."""

    processed_bucket: pulumi.Input[str]
    """Name of the bucket of accepted rows."""

    data_key_arn: NotRequired[pulumi.Input[str | None]]
    """Key that the accepted rows are encrypted with, if they have one."""

    readers: NotRequired[Sequence[str]]
    """ARNs of the roles that read all columns but the personal ones."""

    personal_readers: NotRequired[Sequence[str]]
    """ARNs of the roles that read the personal columns too."""


class LakeFormation(pulumi.ComponentResource):
    """Registers the accepted rows, tags their tables by sensitivity, and grants columns to roles.

    The location is registered in hybrid access mode: Lake Formation rules the roles named here, and everybody
    else (the job, the crawler, the warehouse) goes on by IAM. The account's `DataLakeSettings` aren't touched, so
    who deploys must be an administrator of the data lake already.
    https://docs.aws.amazon.com/lake-formation/latest/dg/hybrid-access-mode.html
    """

    tag: pulumi.Output[str]
    """Key of the LF-tag, whose values are `internal` and `personal`."""

    def __init__(self, name: str, args: LakeFormationArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("retail:lake_formation:LakeFormation", name, {}, opts)
        self._name, self._args = name, args
        self._options = pulumi.ResourceOptions(parent=self)
        self._account = current_account(self)
        location = self._register()
        tag = aws.lakeformation.LfTag(
            name, key=f"{name}-sensitivity", values=[_INTERNAL, _PERSONAL], opts=self._options
        )
        self.tag = tag.key
        for contract in load_contracts(Path(args["contracts"])):
            self._table(contract, location)
        self.register_outputs({"tag": self.tag})

    def _register(self) -> aws.lakeformation.Resource:
        bucket = self._args["processed_bucket"]
        child = f"{self._name}-lake-formation"
        role = aws.iam.Role(
            child,
            name=child,
            description="Reads accepted rows for those whom Lake Formation lets read them",
            # https://docs.aws.amazon.com/lake-formation/latest/dg/cross-service-confused-deputy-prevention.html
            assume_role_policy=trust_for(
                "lakeformation.amazonaws.com", self._account, self._account.arn("lakeformation", "*")
            ),
            opts=self._options,
        )
        policy = aws.iam.RolePolicy(
            child,
            name=child,
            role=role.name,
            policy=document(
                allow(["s3:GetObject"], bucket_arn(bucket, "*")),
                allow(["s3:ListBucket"], bucket_arn(bucket)),
                allow(["kms:Decrypt"], self._args.get("data_key_arn")),
            ),
            opts=self._options,
        )
        return aws.lakeformation.Resource(
            self._name,
            arn=bucket_arn(bucket),
            role_arn=role.arn,
            hybrid_access_enabled=True,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[policy]),
        )

    def _table(self, contract: Contract, location: aws.lakeformation.Resource) -> None:
        """Tags a contract's table and grants it to the readers, without its personal columns."""
        child, database = f"{self._name}-{contract.name}", self._args["database"]
        personal = _personal_columns(contract)
        aws.lakeformation.ResourceLfTags(
            child,
            table={"catalog_id": self._account.id, "database_name": database, "name": contract.name},
            lf_tags=[{"catalog_id": self._account.id, "key": self.tag, "value": _PERSONAL if personal else _INTERNAL}],
            opts=self._options,
        )
        columns = None
        if personal:
            columns = aws.lakeformation.DataCellsFilter(
                child,
                table_data={
                    "table_catalog_id": self._account.id,
                    "database_name": database,
                    "table_name": contract.name,
                    "name": f"{child}-without-personal",
                    "column_wildcard": {"excluded_column_names": personal},
                    "row_filter": {"all_rows_wildcard": {}},
                },
                opts=self._options,
            )
        for number, role in enumerate(self._args.get("readers", []), start=1):
            self._grant(f"{child}-reader-{number}", role, contract.name, columns, location)
        for number, role in enumerate(self._args.get("personal_readers", []), start=1):
            self._grant(f"{child}-personal-reader-{number}", role, contract.name, None, location)

    def _grant(
        self,
        child: str,
        role: str,
        table: str,
        columns: aws.lakeformation.DataCellsFilter | None,
        location: aws.lakeformation.Resource,
    ) -> None:
        options = pulumi.ResourceOptions(parent=self, depends_on=[location])
        database = self._args["database"]
        if columns:
            grant = aws.lakeformation.Permissions(
                child,
                principal=role,
                permissions=["SELECT"],
                data_cells_filter={
                    "table_catalog_id": self._account.id,
                    "database_name": database,
                    "table_name": table,
                    "name": columns.table_data.apply(lambda data: data.name if data else ""),
                },
                opts=options,
            )
        else:
            grant = aws.lakeformation.Permissions(
                child,
                principal=role,
                permissions=["SELECT"],
                table={"catalog_id": self._account.id, "database_name": database, "name": table},
                opts=options,
            )
        # Until it opts in, a role goes on by IAM; opting in before the grant would lock it out.
        aws.lakeformation.OptIn(
            child,
            principals=[{"data_lake_principal_identifier": role}],
            resource_datas=[{"table": {"catalog_id": self._account.id, "database_name": database, "name": table}}],
            opts=pulumi.ResourceOptions(parent=self, depends_on=[grant]),
        )


def _personal_columns(contract: Contract) -> list[str]:
    table = dataset_table(contract)
    stored = {column.name for column in (*table.columns, *table.partition_columns)}
    return [field.name for field in contract.fields if field.personal and field.name in stored]

"""The lake as features for machine learning: SageMaker feature groups over the contracts' tables."""

from collections.abc import Sequence
from pathlib import Path
from typing import NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from components.arguments import refuse_unknown, repeated
from components.feature_views import FeatureView, feature_view
from components.naming import once, type_token
from components.policies import (
    Account,
    ServiceRole,
    allow,
    bucket_arn,
    current_account,
    from_account,
    service_role,
)
from runtime.contract_file import load_contracts

STORE_PREFIX = "feature-store"
"""Where SageMaker puts records that somebody hands it by PutRecord; the pipeline hands it none."""


class FeatureStoreFeatures(TypedDict):
    dataset: str
    """Name of the dataset, as its contract has it."""

    identifier: str
    """Field that says whose features they are, such as the article or the shop."""

    event_time: str
    """Field of type `datetime` that says when they were so."""


class FeatureStoreArgs(TypedDict):
    contracts: str
    """Folder of the contracts; fields that one marks `personal` become no features."""

    groups: Sequence[FeatureStoreFeatures]
    """Datasets that become feature groups, each one only, and how their rows are identified."""

    database: pulumi.Input[str]
    """Name of the Glue database of the contracts' tables, which must be there."""

    workgroup: pulumi.Input[str]
    """Name of the Athena workgroup that gets the saved queries."""

    store_bucket: pulumi.Input[str]
    """Name of the bucket that takes records which somebody puts, below `feature-store/`; the pipeline puts none."""

    data_key_arn: NotRequired[pulumi.Input[str | None]]
    """Key that this bucket is encrypted with. Default: S3's own keys."""


class FeatureStore(pulumi.ComponentResource):
    """Feature groups whose offline store is a view of the lake: nothing is copied, and nothing gets out of date.

    The view `<dataset>_features` has the columns of an offline store: the features, the event time as ISO 8601
    text, and `write_time`, `api_invocation_time` and `is_deleted`. A saved query gives the latest features of each
    identifier, as a notebook asks for them. There is no online store.
    https://docs.aws.amazon.com/sagemaker/latest/dg/feature-store-offline.html
    """

    feature_groups: pulumi.Output[Sequence[str]]
    """Names of the feature groups."""

    def __init__(self, name: str, args: FeatureStoreArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        refuse_unknown(name, args, FeatureStoreArgs)
        twice = repeated([group["dataset"] for group in args["groups"]])
        if twice:
            raise ValueError(f"{name}: {', '.join(twice)} is given more than one group; a dataset may have one")
        super().__init__(type_token("FeatureStore"), name, {}, once("retail:feature_store:FeatureStore", opts))
        self._name, self._args = name, args
        self._options = pulumi.ResourceOptions(parent=self)
        account = current_account(self)
        contracts = load_contracts(Path(args["contracts"]))
        views = [
            feature_view(contracts, group["dataset"], group["identifier"], group["event_time"])
            for group in args["groups"]
        ]
        role = self._role(account)
        groups = [self._group(view, role) for view in views]
        self.feature_groups = pulumi.Output.all(*(group.feature_group_name for group in groups))
        self.register_outputs({"feature_groups": self.feature_groups})

    def _role(self, account: Account) -> ServiceRole:
        child, bucket, database = f"{self._name}-feature-store", self._args["store_bucket"], self._args["database"]
        return service_role(
            child,
            "sagemaker.amazonaws.com",
            # https://docs.aws.amazon.com/sagemaker/latest/dg/security-iam-awsmanpol-feature-store.html
            [
                allow(["s3:GetBucketAcl"], bucket_arn(bucket)),
                allow(["s3:PutObject", "s3:PutObjectAcl"], bucket_arn(bucket, f"{STORE_PREFIX}/*")),
                allow(
                    ["glue:GetTable"],
                    account.arn("glue", "catalog"),
                    account.arn("glue", "database/", database),
                    account.arn("glue", "table/", database, "/*"),
                ),
                allow(["kms:Decrypt", "kms:GenerateDataKey"], self._args.get("data_key_arn")),
            ],
            description="Writes features that somebody puts into a feature group",
            parent=self,
            # https://docs.aws.amazon.com/sagemaker/latest/dg/security-confused-deputy-prevention.html
            conditions=from_account(account, account.arn("sagemaker", "feature-group/", self._name, "-*")),
        )

    def _group(self, view: FeatureView, role: ServiceRole) -> aws.sagemaker.FeatureGroup:
        child, database = f"{self._name}-{view.dataset}-features", self._args["database"]
        table = aws.glue.CatalogTable(
            child,
            name=view.name,
            database_name=database,
            description=f"Features of {view.dataset}, as SageMaker's offline store has them",
            table_type="VIRTUAL_VIEW",
            parameters={"presto_view": "true", "comment": "Presto View"},
            view_original_text=pulumi.Output.from_input(database).apply(view.catalogue_text),
            view_expanded_text="/* Presto View */",
            storage_descriptor={"columns": [{"name": column.name, "type": column.type} for column in view.columns]},
            opts=self._options,
        )
        aws.athena.NamedQuery(
            child,
            name=f"{view.dataset}-latest-features",
            description=f"The latest features of each {view.identifier}",
            database=database,
            query=view.latest,
            workgroup=self._args["workgroup"],
            opts=self._options,
        )
        return aws.sagemaker.FeatureGroup(
            child,
            feature_group_name=child.replace("_", "-"),
            description=f"Features of {view.dataset}, read from the lake",
            record_identifier_feature_name=view.identifier,
            event_time_feature_name=view.event_time,
            feature_definitions=[
                {"feature_name": feature.name, "feature_type": feature.feature_type} for feature in view.features
            ],
            role_arn=role.role.arn,
            offline_store_config={
                "s3_storage_config": {
                    "s3_uri": pulumi.Output.concat("s3://", self._args["store_bucket"], "/", STORE_PREFIX),
                    "kms_key_id": self._args.get("data_key_arn"),
                },
                # The table is ours to make and to keep: SageMaker only notes where it is
                # (https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_OfflineStoreConfig.html).
                "disable_glue_table_creation": True,
                "data_catalog_config": {
                    "catalog": "AwsDataCatalog",
                    "database": database,
                    "table_name": table.name,
                },
            },
            opts=pulumi.ResourceOptions(parent=self, depends_on=[role.policy]),
        )

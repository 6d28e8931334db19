"""The pipeline: what shops upload becomes tables that SQL can query."""

from typing import Any

import pulumi

from components.alerting import Alerting
from components.analytics import Analytics
from components.budget import Budget
from components.chat import Chat, ChatArgs
from components.feature_store import FeatureStore, FeatureStoreFeatures
from components.lake_formation import LakeFormation
from components.notices import Notices
from components.orchestration import Orchestration
from components.quicksight import QuickSight
from components.settings import CREATE, load_settings
from components.storage import Storage
from components.warehouse import Warehouse

settings = load_settings(pulumi.Config(), pulumi.get_stack())
name = settings.name

storage = Storage(
    name,
    {
        "protect": settings.protect_data,
        "noncurrent_days": settings.noncurrent_days,
        "create_kms_key": settings.kms_key == CREATE,
        "kms_key_arn": None if settings.kms_key == CREATE else settings.kms_key,
        "source_bucket": settings.source_bucket,
        "source_bucket_events": settings.source_bucket_events,
    },
)
notices = Notices(
    name,
    {
        "emails": settings.alert_emails,
        "success_topic_arn": settings.success_topic_arn,
        "failure_topic_arn": settings.failure_topic_arn,
        "topic_key_arn": settings.topic_key_arn,
        "budgets": settings.monthly_budget_dollars > 0,
    },
)
analytics = Analytics(
    name,
    {
        "contracts": settings.contracts,
        "processed_bucket": storage.processed_bucket,
        "quarantine_bucket": storage.quarantine_bucket,
        "ledger_bucket": storage.ledger_bucket,
        "result_bucket": storage.artefact_bucket,
        "data_key_arn": storage.kms_key_arn,
        "scan_limit_gigabytes": settings.query_scan_limit_gigabytes,
        "crawler_schedule": settings.crawler_schedule,
        "log_retention_days": settings.log_retention_days,
    },
)
orchestration = Orchestration(
    name,
    {
        "contracts": settings.contracts,
        "source_bucket": storage.source_bucket,
        "processed_bucket": storage.processed_bucket,
        "quarantine_bucket": storage.quarantine_bucket,
        "ledger_bucket": storage.ledger_bucket,
        "artefact_bucket": storage.artefact_bucket,
        "database": analytics.database,
        "success_topic_arn": notices.success_topic_arn,
        "failure_topic_arn": notices.failure_topic_arn,
        "notice_key_arns": notices.key_arns,
        "data_key_arn": storage.kms_key_arn,
        "source_key_arn": settings.source_key_arn,
        "format_plugins": settings.format_plugins,
        "plugin_folder": settings.plugin_folder,
        "lambda_platform": settings.lambda_platform,
        "batch_size": settings.batch_size,
        "batch_window_seconds": settings.batch_window_seconds,
        "validator_concurrency": settings.validator_concurrency,
        "worker_type": settings.glue_worker_type,
        "workers": settings.glue_workers,
        "concurrent_runs": settings.glue_concurrent_runs,
        "job_timeout_minutes": settings.glue_timeout_minutes,
        "log_retention_days": settings.log_retention_days,
    },
)
alerting = Alerting(
    name,
    {
        "failure_topic_arn": notices.failure_topic_arn,
        "notice_key_arns": notices.key_arns,
        "state_machine_arn": orchestration.state_machine_arn,
        "validator_function": orchestration.validator_function,
        "ingest_queue": orchestration.ingest_queue,
        "dead_letter_queue": orchestration.dead_letter_queue,
        "upload_rule": orchestration.upload_rule,
        "glue_job": orchestration.glue_job,
        "crawler": analytics.crawler,
        "crawler_log_group": analytics.crawler_log_group,
    },
)
exports: dict[str, pulumi.Output[Any]] = {
    "source_bucket": storage.source_bucket,
    "processed_bucket": storage.processed_bucket,
    "quarantine_bucket": storage.quarantine_bucket,
    "ledger_bucket": storage.ledger_bucket,
    "artefact_bucket": storage.artefact_bucket,
    "access_log_bucket": storage.access_log_bucket,
    "success_topic_arn": notices.success_topic_arn,
    "failure_topic_arn": notices.failure_topic_arn,
    "database": analytics.database,
    "crawler": analytics.crawler,
    "workgroup": analytics.workgroup,
    "ingest_queue_url": orchestration.ingest_queue_url,
    "dead_letter_queue_url": orchestration.dead_letter_queue_url,
    "validator_function": orchestration.validator_function,
    "glue_job": orchestration.glue_job,
    "state_machine_arn": orchestration.state_machine_arn,
    "dashboard": alerting.dashboard,
}
if settings.redshift:
    buckets = [storage.processed_bucket, storage.quarantine_bucket, storage.ledger_bucket]
    warehouse = Warehouse(
        name, {"database": analytics.database, "buckets": buckets, "data_key_arn": storage.kms_key_arn}
    )
    exports["warehouse"] = warehouse.workgroup
if settings.monthly_budget_dollars:
    budget = Budget(
        name, {"monthly_dollars": settings.monthly_budget_dollars, "topic_arns": [notices.failure_topic_arn]}
    )
    exports["budget"] = budget.budget
if settings.slack_channel or settings.teams_channel:
    channels: ChatArgs = {"topic_arns": [notices.failure_topic_arn]}
    if settings.slack_channel:
        workspace, channel = settings.slack_channel.split("/")
        channels["slack"] = {"workspace": workspace, "channel": channel}
    if settings.teams_channel:
        tenant, team, channel = settings.teams_channel.split("/")
        channels["teams"] = {"tenant": tenant, "team": team, "channel": channel}
    exports["chat_role_arn"] = Chat(name, channels).role_arn
if settings.lake_readers or settings.lake_personal_readers:
    lake = LakeFormation(
        name,
        {
            "contracts": settings.contracts,
            "database": analytics.database,
            "processed_bucket": storage.processed_bucket,
            "quarantine_bucket": storage.quarantine_bucket,
            "ledger_bucket": storage.ledger_bucket,
            "data_key_arn": storage.kms_key_arn,
            "readers": settings.lake_readers,
            "personal_readers": settings.lake_personal_readers,
            "administrators": settings.lake_administrators,
        },
        # The tables have to be there before they are tagged.
        pulumi.ResourceOptions(depends_on=[analytics]),
    )
    exports["sensitivity_tag"] = lake.tag
if settings.quicksight_users:
    quicksight = QuickSight(
        name,
        {
            "contracts": settings.contracts,
            "database": analytics.database,
            "workgroup": analytics.workgroup,
            "processed_bucket": storage.processed_bucket,
            "result_bucket": storage.artefact_bucket,
            "data_key_arn": storage.kms_key_arn,
            "users": settings.quicksight_users,
        },
        # Quick Sight reads the tables at once.
        pulumi.ResourceOptions(depends_on=[analytics]),
    )
    exports["quicksight_data_source_arn"] = quicksight.data_source_arn
if settings.feature_groups:
    groups: list[FeatureStoreFeatures] = []
    for group in settings.feature_groups:
        dataset, identifier, event_time = group.split("/")
        groups.append({"dataset": dataset, "identifier": identifier, "event_time": event_time})
    features = FeatureStore(
        name,
        {
            "contracts": settings.contracts,
            "groups": groups,
            "database": analytics.database,
            "workgroup": analytics.workgroup,
            "store_bucket": storage.artefact_bucket,
            "data_key_arn": storage.kms_key_arn,
        },
    )
    exports["feature_groups"] = features.feature_groups
for output, value in exports.items():
    pulumi.export(output, value)

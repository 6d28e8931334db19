"""The settings of a stack, checked before its first resource."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pulumi

from components.arguments import repeated
from components.artefacts import PLATFORMS
from components.feature_views import feature_view
from components.settings_reader import SETTINGS_KEY, SettingsReader
from runtime.contract_file import load_contracts

WORKER_TYPES = ("G.1X", "G.2X", "G.4X", "G.8X", "G.12X", "G.16X", "R.1X", "R.2X", "R.4X", "R.8X")
RETENTION_DAYS = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545),
    *(731, 1096, 1827, 2192, 2557, 2922, 3288, 3653),
)
"""What CloudWatch Logs allows (https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html)."""

CREATE = "create"
"""As `kmsKey`: make a key."""

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_SCHEDULE = re.compile(r"cron\([^()]+\)")
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
_BUCKET = re.compile(r"(?!.*\.\.)(?!(\d+\.){3}\d+$)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_KEY = re.compile(r"arn:aws:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+")
_KEY_OR_CREATE = re.compile(rf"{CREATE}|{_KEY.pattern}")
_TOPIC = re.compile(r"arn:aws:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]{1,256}")
_KEY_ALLOWED = "the ARN of a key, such as arn:aws:kms:eu-west-1:123456789012:key/0a1b2c3d"
_TOPIC_ALLOWED = "the ARN of a topic, such as arn:aws:sns:eu-west-1:123456789012:alerts"

# https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-chatbot-microsoftteamschannelconfiguration.html
_UUID = "[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"
_SLACK = re.compile(r"[0-9A-Z]{1,255}/[A-Za-z0-9]{1,255}")
_TEAMS = re.compile(rf"{_UUID}/{_UUID}/[^/\s]{{1,255}}")
_FEATURE_GROUP = re.compile(r"[^/\s]+/[^/\s]+/[^/\s]+")
_QUICKSIGHT_USER = re.compile(r"arn:aws:quicksight:[a-z0-9-]+:[0-9]{12}:(user|group)/\S+")
_ROLE = re.compile(r"arn:aws:iam::\d{12}:role/[\w+=,.@/-]+")


@dataclass(frozen=True)
class Settings:
    """What a stack may choose, in `Pulumi.<stack>.yaml`: all under `retail-pipeline:settings` but region and tags.

    Region and tags are the provider's own settings, `aws:region` and `aws:defaultTags`: they hold for every resource.
    """

    name: str
    """Beginning of all names, by default `retail-<stack>`."""

    region: str
    """Where all is deployed."""

    tags: Mapping[str, str]
    """Tags of every resource."""

    contracts: str
    """Folder of the contracts, from the project's folder."""

    format_plugins: Sequence[str]
    """Packages with more formats, shipped to the validator and the job: requirements, or paths of wheels or folders."""

    plugin_folder: str | None
    """Folder of modules with more formats, shipped to the validator and the job, from the project's folder."""

    source_bucket: str | None
    """A bucket that is there already, to take uploads from; without it, one is made."""

    source_bucket_events: bool
    """Switch the EventBridge notifications of that bucket on; its other notifications are replaced by it."""

    source_key_arn: str | None
    """Key that the uploads in that bucket are encrypted with."""

    kms_key: str | None
    """Key that the data is encrypted with: `create`, or the ARN of one that is there; without it, S3's own."""

    success_topic_arn: str | None
    """A topic that is there already, for the notices of success."""

    failure_topic_arn: str | None
    """A topic that is there already, for the notices of failure."""

    topic_key_arn: str | None
    """Key that those topics are encrypted with."""

    alert_emails: Sequence[str]
    """Addresses that get the failure notices."""

    lambda_platform: str
    """What the validator is built for: `arm64`, or `host` for an emulator on this machine."""

    batch_size: int
    """Most uploads that the validator gets at once."""

    batch_window_seconds: int
    """How long uploads may wait for others to share a batch with."""

    validator_concurrency: int
    """Most validators at work at once."""

    glue_worker_type: str
    """Size of the job's workers."""

    glue_workers: int
    """Workers of one run of the job."""

    glue_concurrent_runs: int
    """Most runs of the job at once; more are queued."""

    glue_timeout_minutes: int
    """Minutes after which a run of the job is stopped."""

    crawler_schedule: str | None
    """When the drift check runs, in UTC; without a schedule, when somebody starts it."""

    query_scan_limit_gigabytes: int
    """Gigabytes that one query may scan."""

    log_retention_days: int
    """Days that logs are kept."""

    noncurrent_days: int
    """Days that overwritten and deleted objects can be brought back."""

    protect_data: bool
    """Keep the buckets when the stack is destroyed."""

    redshift: bool
    """Have Redshift Serverless query the lake too."""

    monthly_budget_dollars: int
    """US dollars a month that the account may cost before a warning; 0 is without a budget."""

    slack_channel: str | None
    """Slack channel of the notices, as `<workspace>/<channel>`."""

    teams_channel: str | None
    """Teams channel of the notices, as `<tenant>/<team>/<channel>`."""

    lake_readers: Sequence[str]
    """Roles that read the lake through Lake Formation, without personal columns."""

    lake_personal_readers: Sequence[str]
    """Roles that read the lake through Lake Formation, personal columns too."""

    lake_administrators: Sequence[str]
    """Roles that become the administrators of the account's data lake, in place of those it has."""

    quicksight_users: Sequence[str]
    """Quick Sight users and groups that get data sets of the lake."""

    feature_groups: Sequence[str]
    """Datasets that become SageMaker feature groups, as `<dataset>/<identifier>/<event time>`."""


def load_settings(config: pulumi.Config, stack: str) -> Settings:
    """The stack's settings. Raises SettingsError with every problem there is, the contracts' included."""
    provider = pulumi.Config("aws")
    tags = provider.get_object("defaultTags") or {}
    return parse_settings(
        config.get_object(SETTINGS_KEY) or {}, stack, region=provider.get("region"), default_tags=tags
    )


def parse_settings(
    values: Any, stack: str, *, region: str | None = "eu-west-1", default_tags: Any = MappingProxyType({})
) -> Settings:
    """The settings in a decoded document, and the AWS provider's region and `defaultTags`.

    Raises SettingsError with every problem there is.
    """
    reader = SettingsReader(values)
    settings = Settings(
        name=reader.name("name", f"retail-{stack}"),
        region=reader.region(region),
        tags=reader.tags(default_tags),
        contracts=reader.contracts("contracts", "contracts"),
        format_plugins=reader.plugins("formatPlugins"),
        plugin_folder=reader.plugin_folder("pluginFolder"),
        source_bucket=reader.text("sourceBucket", _BUCKET, "the name of a bucket"),
        source_bucket_events=reader.boolean("sourceBucketEvents", default=False),
        source_key_arn=reader.text("sourceKeyArn", _KEY, _KEY_ALLOWED),
        kms_key=reader.text("kmsKey", _KEY_OR_CREATE, f"{CREATE}, or {_KEY_ALLOWED}"),
        success_topic_arn=reader.text("successTopicArn", _TOPIC, _TOPIC_ALLOWED),
        failure_topic_arn=reader.text("failureTopicArn", _TOPIC, _TOPIC_ALLOWED),
        topic_key_arn=reader.text("topicKeyArn", _KEY, _KEY_ALLOWED),
        alert_emails=reader.texts("alertEmails", _EMAIL, "a list of e-mail addresses"),
        lambda_platform=reader.choice("lambdaPlatform", PLATFORMS, "arm64"),
        batch_size=reader.integer("batchSize", 1, 10_000, 10),
        batch_window_seconds=reader.integer("batchWindowSeconds", 0, 300, 0),
        validator_concurrency=reader.integer("validatorConcurrency", 2, 1000, 10),
        glue_worker_type=reader.choice("glueWorkerType", WORKER_TYPES, "G.1X"),
        glue_workers=reader.integer("glueWorkers", 2, 299, 2),
        glue_concurrent_runs=reader.integer("glueConcurrentRuns", 1, 1000, 10),
        glue_timeout_minutes=reader.integer("glueTimeoutMinutes", 1, 10_080, 60),
        crawler_schedule=reader.text("crawlerSchedule", _SCHEDULE, "a schedule such as cron(0 3 * * ? *)"),
        query_scan_limit_gigabytes=reader.integer("queryScanLimitGigabytes", 1, 100_000, 100),
        log_retention_days=reader.choice("logRetentionDays", RETENTION_DAYS, 90),
        noncurrent_days=reader.integer("noncurrentDays", 1, 36_500, 90),
        protect_data=reader.boolean("protectData", default=True),
        redshift=reader.boolean("redshift", default=False),
        monthly_budget_dollars=reader.integer("monthlyBudgetDollars", 0, 1_000_000, 0),
        slack_channel=reader.text("slackChannel", _SLACK, "<workspace>/<channel>, such as T0123ABCDEF/C0123ABCDEF"),
        teams_channel=reader.text("teamsChannel", _TEAMS, "<tenant>/<team>/<channel>, two UUIDs and 19%3a…"),
        lake_readers=reader.texts("lakeReaders", _ROLE, "a list of ARNs of roles"),
        lake_personal_readers=reader.texts("lakePersonalReaders", _ROLE, "a list of ARNs of roles"),
        lake_administrators=reader.texts("lakeAdministrators", _ROLE, "a list of ARNs of roles"),
        quicksight_users=reader.texts("quickSightUsers", _QUICKSIGHT_USER, "a list of ARNs of Quick Sight users"),
        feature_groups=reader.texts(
            "featureGroups", _FEATURE_GROUP, "a list such as retail_transactions/article_id/sold_at"
        ),
    )
    _check_together(reader, settings)
    _check_regions(reader, settings)
    _check_feature_groups(reader, settings)
    reader.finish()
    return settings


def _check_together(reader: SettingsReader, settings: Settings) -> None:
    """What a setting means, or may be, depends on others."""
    # https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html
    if settings.batch_size > 10 and settings.batch_window_seconds == 0:
        reader.refuse("batchWindowSeconds", 0, f"at least 1, as batchSize is {settings.batch_size}, above 10")
    for key, value, needed in (
        ("sourceBucketEvents", settings.source_bucket_events, settings.source_bucket),
        ("sourceKeyArn", settings.source_key_arn, settings.source_bucket),
    ):
        if value and not needed:
            reader.refuse(key, value, "nothing, as there is no sourceBucket: a bucket of our own needs no such setting")
    if settings.topic_key_arn and not (settings.success_topic_arn or settings.failure_topic_arn):
        reader.refuse(
            "topicKeyArn", settings.topic_key_arn, "nothing, as there is no successTopicArn or failureTopicArn"
        )
    if settings.alert_emails and settings.failure_topic_arn:
        allowed = "none, as failureTopicArn is a topic of your own: subscribe them to it"
        reader.refuse("alertEmails", settings.alert_emails, allowed)
    if settings.lake_administrators and not (settings.lake_readers or settings.lake_personal_readers):
        allowed = "nothing, as there are no lakeReaders or lakePersonalReaders: Lake Formation is off"
        reader.refuse("lakeAdministrators", settings.lake_administrators, allowed)
    both = repeated([*settings.lake_readers, *settings.lake_personal_readers])
    if both and not reader.problems:
        allowed = f"roles that aren't lakeReaders too, as {', '.join(both)} is: they read all that these do"
        reader.refuse("lakePersonalReaders", settings.lake_personal_readers, allowed)


def _check_regions(reader: SettingsReader, settings: Settings) -> None:
    """Neither S3 nor SNS works with a key of another region, and the roles' rights on topics are this region's."""
    for key, arn in (
        ("sourceKeyArn", settings.source_key_arn),
        ("kmsKey", settings.kms_key),
        ("successTopicArn", settings.success_topic_arn),
        ("failureTopicArn", settings.failure_topic_arn),
        ("topicKeyArn", settings.topic_key_arn),
    ):
        if settings.region and arn and arn != CREATE and arn.split(":")[3] != settings.region:
            reader.refuse(key, arn, f"one of the region {settings.region}, which aws:region is")


def _check_feature_groups(reader: SettingsReader, settings: Settings) -> None:
    if reader.problems or not settings.feature_groups:
        return
    twice = repeated([group.split("/")[0] for group in settings.feature_groups])
    if twice:
        reader.refuse("featureGroups", settings.feature_groups, f"one group a dataset: {', '.join(twice)} has more")
    contracts = load_contracts(Path(settings.contracts))
    for group in settings.feature_groups:
        try:
            feature_view(contracts, *group.split("/"))
        except ValueError as error:
            reader.problems.append(f"featureGroups has {group!r}: {error}")

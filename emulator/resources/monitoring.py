"""Resource types of CloudWatch, CloudWatch Logs and Budgets."""

from emulator.clients import ACCOUNT, REGION
from emulator.resources.inputs import Inputs, members
from emulator.resources.registry import Clients, Created


def log_group(aws: Clients, inputs: Inputs) -> Created:
    name, logs = inputs["name"], aws("logs")
    inputs.set_aside("log groups go with the server", "skipDestroy")
    logs.create_log_group(logGroupName=name, **inputs.request(kmsKeyId="kmsKeyId", logGroupClass="logGroupClass"))
    if inputs.optional("retentionInDays"):
        logs.put_retention_policy(logGroupName=name, retentionInDays=inputs["retentionInDays"])
    return name, {"arn": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{name}"}


def metric_filter(aws: Clients, inputs: Inputs) -> Created:
    transformation = dict(inputs["metricTransformation"])
    names = {"name": "metricName", "namespace": "metricNamespace", "value": "metricValue"}
    aws("logs").put_metric_filter(
        logGroupName=inputs["logGroupName"],
        filterName=inputs["name"],
        filterPattern=inputs["pattern"],
        metricTransformations=[{names.get(name, name): value for name, value in transformation.items()}],
    )
    return inputs["name"], {}


def metric_alarm(aws: Clients, inputs: Inputs) -> Created:
    name = inputs["name"]
    dimensions = inputs.optional("dimensions", {})
    aws("cloudwatch").put_metric_alarm(
        AlarmName=name,
        Dimensions=[{"Name": key, "Value": value} for key, value in dimensions.items()],
        **inputs.request(
            AlarmDescription="alarmDescription",
            Namespace="namespace",
            MetricName="metricName",
            Statistic="statistic",
            ExtendedStatistic="extendedStatistic",
            Period="period",
            EvaluationPeriods="evaluationPeriods",
            DatapointsToAlarm="datapointsToAlarm",
            Threshold="threshold",
            ComparisonOperator="comparisonOperator",
            TreatMissingData="treatMissingData",
            Unit="unit",
            ActionsEnabled="actionsEnabled",
            AlarmActions="alarmActions",
            OKActions="okActions",
            InsufficientDataActions="insufficientDataActions",
        ),
    )
    return name, {"arn": f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:{name}"}


def dashboard(aws: Clients, inputs: Inputs) -> Created:
    name = inputs["dashboardName"]
    aws("cloudwatch").put_dashboard(DashboardName=name, DashboardBody=inputs["dashboardBody"])
    return name, {"dashboardArn": f"arn:aws:cloudwatch::{ACCOUNT}:dashboard/{name}"}


def budget(aws: Clients, inputs: Inputs) -> Created:
    notifications = [
        {
            "Notification": members(
                {name: value for name, value in notification.items() if not name.startswith("subscriber")}
            ),
            "Subscribers": [
                {"SubscriptionType": kind, "Address": address}
                for kind, name in (("SNS", "subscriberSnsTopicArns"), ("EMAIL", "subscriberEmailAddresses"))
                for address in notification.get(name, [])
            ],
        }
        for notification in inputs.optional("notifications", [])
    ]
    request = {
        "BudgetName": inputs["name"],
        "BudgetLimit": {"Amount": inputs["limitAmount"], "Unit": inputs["limitUnit"]},
        **inputs.request(BudgetType="budgetType", TimeUnit="timeUnit"),
    }
    aws("budgets").create_budget(AccountId=ACCOUNT, Budget=request, NotificationsWithSubscribers=notifications)
    return f"{ACCOUNT}:{inputs['name']}", {"arn": f"arn:aws:budgets::{ACCOUNT}:budget/{inputs['name']}"}


RESOURCES = {
    "aws:budgets/budget:Budget": budget,
    "aws:cloudwatch/logGroup:LogGroup": log_group,
    "aws:cloudwatch/logMetricFilter:LogMetricFilter": metric_filter,
    "aws:cloudwatch/metricAlarm:MetricAlarm": metric_alarm,
    "aws:cloudwatch/dashboard:Dashboard": dashboard,
}

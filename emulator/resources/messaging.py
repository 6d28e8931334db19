"""Resource types of SNS, SQS and EventBridge."""

from emulator.resources.inputs import Inputs, members
from emulator.resources.registry import Clients, Created


def topic(aws: Clients, inputs: Inputs) -> Created:
    attributes = inputs.request(
        DisplayName="displayName", KmsMasterKeyId="kmsMasterKeyId", Policy="policy", TracingConfig="tracingConfig"
    )
    arn = aws("sns").create_topic(Name=inputs["name"], Attributes=attributes)["TopicArn"]
    return arn, {"arn": arn}


def topic_policy(aws: Clients, inputs: Inputs) -> Created:
    aws("sns").set_topic_attributes(TopicArn=inputs["arn"], AttributeName="Policy", AttributeValue=inputs["policy"])
    return inputs["arn"], {}


def topic_subscription(aws: Clients, inputs: Inputs) -> Created:
    attributes = inputs.request(
        RawMessageDelivery="rawMessageDelivery",
        FilterPolicy="filterPolicy",
        FilterPolicyScope="filterPolicyScope",
        RedrivePolicy="redrivePolicy",
    )
    arn = aws("sns").subscribe(
        TopicArn=inputs["topic"],
        Protocol=inputs["protocol"],
        Endpoint=inputs["endpoint"],
        Attributes={name: _text(value) for name, value in attributes.items()},
        ReturnSubscriptionArn=True,
    )["SubscriptionArn"]
    return arn, {"arn": arn}


def queue(aws: Clients, inputs: Inputs) -> Created:
    attributes = inputs.request(
        SqsManagedSseEnabled="sqsManagedSseEnabled",
        VisibilityTimeout="visibilityTimeoutSeconds",
        MessageRetentionPeriod="messageRetentionSeconds",
        ReceiveMessageWaitTimeSeconds="receiveWaitTimeSeconds",
        DelaySeconds="delaySeconds",
        MaximumMessageSize="maxMessageSize",
        KmsMasterKeyId="kmsMasterKeyId",
        RedrivePolicy="redrivePolicy",
    )
    texts = {name: _text(value) for name, value in attributes.items()}
    sqs = aws("sqs")
    url = sqs.create_queue(QueueName=inputs["name"], Attributes=texts)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    return url, {"arn": arn, "url": url}


def queue_policy(aws: Clients, inputs: Inputs) -> Created:
    aws("sqs").set_queue_attributes(QueueUrl=inputs["queueUrl"], Attributes={"Policy": inputs["policy"]})
    return inputs["queueUrl"], {}


def redrive_allow_policy(aws: Clients, inputs: Inputs) -> Created:
    attributes = {"RedriveAllowPolicy": inputs["redriveAllowPolicy"]}
    aws("sqs").set_queue_attributes(QueueUrl=inputs["queueUrl"], Attributes=attributes)
    return inputs["queueUrl"], {}


def event_rule(aws: Clients, inputs: Inputs) -> Created:
    request = inputs.request(
        Description="description",
        EventPattern="eventPattern",
        ScheduleExpression="scheduleExpression",
        State="state",
        RoleArn="roleArn",
    )
    arn = aws("events").put_rule(Name=inputs["name"], **request)["RuleArn"]
    return inputs["name"], {"arn": arn}


def event_target(aws: Clients, inputs: Inputs) -> Created:
    target = {
        "Id": inputs.optional("targetId", inputs.name),
        "Arn": inputs["arn"],
        **inputs.request(RoleArn="roleArn", Input="input", InputPath="inputPath"),
    }
    names = {"inputPaths": "InputPathsMap"}
    for name in ("deadLetterConfig", "retryPolicy", "inputTransformer"):
        if inputs.optional(name):
            target |= members({name: inputs[name]}, names, maps={"inputPaths"})
    aws("events").put_targets(Rule=inputs["rule"], Targets=[target])
    return f"{inputs['rule']}-{target['Id']}", {"targetId": target["Id"]}


def _text(value: object) -> str:
    """Attributes are texts in the API: numbers in digits, truth in lower case."""
    return str(value).lower() if isinstance(value, bool) else str(value)


RESOURCES = {
    "aws:sns/topic:Topic": topic,
    "aws:sns/topicPolicy:TopicPolicy": topic_policy,
    "aws:sns/topicSubscription:TopicSubscription": topic_subscription,
    "aws:sqs/queue:Queue": queue,
    "aws:sqs/queuePolicy:QueuePolicy": queue_policy,
    "aws:sqs/redriveAllowPolicy:RedriveAllowPolicy": redrive_allow_policy,
    "aws:cloudwatch/eventRule:EventRule": event_rule,
    "aws:cloudwatch/eventTarget:EventTarget": event_target,
}

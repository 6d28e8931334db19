"""Redshift Serverless over the same tables, for those who have their reports there."""

from collections.abc import Sequence
from typing import NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from components.arguments import refuse_unknown
from components.naming import once, type_token
from components.policies import (
    READ_CATALOGUE,
    Account,
    Statement,
    allow,
    bucket_arn,
    current_account,
    document,
    from_account,
    service_role,
)

_NETWORK = "10.73.0.0/24"
_SUBNETS = ("10.73.0.0/26", "10.73.0.64/26", "10.73.0.128/26")
"""With enhanced VPC routing Redshift Serverless asks for three subnets in three zones."""

_DATABASE = "retail"
_SCHEMA = "lake"


class WarehouseArgs(TypedDict):
    database: pulumi.Input[str]
    """Name of the Glue database to query."""

    buckets: Sequence[pulumi.Input[str]]
    """Names of the buckets that its tables lie in."""

    data_key_arn: NotRequired[pulumi.Input[str | None]]
    """Key that these buckets are encrypted with. Default: S3's own keys."""

    base_capacity: NotRequired[pulumi.Input[int]]
    """Redshift processing units at work while there are queries, from 4. Default 4, $1.50 an hour of work."""

    monthly_limit: NotRequired[pulumi.Input[int]]
    """RPU-hours a month after which queries are refused. Default 100, $37.50."""


class Warehouse(pulumi.ComponentResource):
    """A Redshift Serverless workgroup in a network of its own, with the lake as external schema `lake`.

    Nothing can be reached from the internet or goes there: S3 and Glue are reached through endpoints, and
    users through the query editor and the data API. The endpoints let through what reads `buckets` and
    `database`, and nothing else.
    """

    workgroup: pulumi.Output[str]
    """Name of the workgroup."""

    def __init__(self, name: str, args: WarehouseArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        refuse_unknown(name, args, WarehouseArgs)
        super().__init__(type_token("Warehouse"), name, {}, once("retail:warehouse:Warehouse", opts))
        account = current_account(self)
        self._name, self._options = f"{name}-warehouse", pulumi.ResourceOptions(parent=self)
        storage, catalogue = _reading_buckets(args), allow(READ_CATALOGUE, *account.database_arns(args["database"]))
        role = self._spectrum_role(account, [*storage, allow(["kms:Decrypt"], args.get("data_key_arn")), catalogue])
        namespace = aws.redshiftserverless.Namespace(
            self._name,
            namespace_name=self._name,
            db_name=_DATABASE,
            admin_username="retail_admin",
            manage_admin_password=True,
            iam_roles=[role.arn],
            default_iam_role_arn=role.arn,
            log_exports=["connectionlog", "useractivitylog", "userlog"],
            opts=self._options,
        )
        subnets, security_group, endpoints = self._network(account, _through(*storage), _through(catalogue))
        workgroup = aws.redshiftserverless.Workgroup(
            self._name,
            workgroup_name=self._name,
            namespace_name=namespace.namespace_name,
            base_capacity=args.get("base_capacity", 4),
            enhanced_vpc_routing=True,
            publicly_accessible=False,
            config_parameters=[{"parameter_key": "require_ssl", "parameter_value": "true"}],
            subnet_ids=[subnet.id for subnet in subnets],
            security_group_ids=[security_group.id],
            opts=pulumi.ResourceOptions(
                parent=self,
                depends_on=endpoints,
                # AWS answers with all parameters, of which one is given: each update would show the others as gone.
                ignore_changes=["configParameters"],
            ),
        )
        limit = aws.redshiftserverless.UsageLimit(
            self._name,
            resource_arn=workgroup.arn,
            usage_type="serverless-compute",
            amount=args.get("monthly_limit", 100),
            period="monthly",
            breach_action="deactivate",
            opts=self._options,
        )
        aws.redshiftdata.Statement(
            self._name,
            workgroup_name=workgroup.workgroup_name,
            database=_DATABASE,
            # A refresh runs it again.
            sql=pulumi.Output.concat(
                f"CREATE EXTERNAL SCHEMA IF NOT EXISTS {_SCHEMA} FROM DATA CATALOG DATABASE '",
                args["database"],
                "' IAM_ROLE default",
            ),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[limit]),
        )
        self.workgroup = workgroup.workgroup_name
        self.register_outputs({"workgroup": self.workgroup})

    def _spectrum_role(self, account: Account, statements: Sequence[Statement]) -> aws.iam.Role:
        return service_role(
            self._name,
            # Both (https://docs.aws.amazon.com/redshift/latest/mgmt/serverless-security-other-services.html).
            ["redshift-serverless.amazonaws.com", "redshift.amazonaws.com"],
            statements,
            description="Reads the lake and its catalogue for queries",
            parent=self,
            # Redshift tells its user, in an ARN with the account's id; no document says that it tells more
            # (https://docs.aws.amazon.com/redshift/latest/mgmt/authorizing-redshift-service-database-users.html).
            conditions={"StringLike": {"sts:ExternalId": account.arn("redshift", "dbuser:*")}},
        ).role

    def _network(
        self, account: Account, storage_policy: pulumi.Input[str], catalogue_policy: pulumi.Input[str]
    ) -> tuple[list[aws.ec2.Subnet], aws.ec2.SecurityGroup, list[aws.ec2.VpcEndpoint]]:
        """The network, from which there is no way but to S3 and Glue."""
        vpc = aws.ec2.Vpc(
            self._name,
            cidr_block=_NETWORK,
            enable_dns_hostnames=True,
            enable_dns_support=True,
            opts=self._options,
        )
        # The group that every network comes with lets all its members talk; without rules it is of no use.
        aws.ec2.DefaultSecurityGroup(self._name, vpc_id=vpc.id, opts=self._options)
        self._flow_log(vpc, account)
        zones = aws.get_availability_zones_output(state="available", opts=pulumi.InvokeOutputOptions(parent=self)).names
        subnets = [
            aws.ec2.Subnet(
                f"{self._name}-{number}",
                vpc_id=vpc.id,
                cidr_block=block,
                availability_zone=zones[number],
                opts=self._options,
            )
            for number, block in enumerate(_SUBNETS)
        ]
        service = pulumi.Output.concat("com.amazonaws.", account.region)
        storage = aws.ec2.VpcEndpoint(
            f"{self._name}-s3",
            vpc_id=vpc.id,
            vpc_endpoint_type="Gateway",
            service_name=pulumi.Output.concat(service, ".s3"),
            route_table_ids=[vpc.default_route_table_id],
            policy=storage_policy,
            opts=self._options,
        )
        group = self._security_group(vpc, storage)
        catalogue = aws.ec2.VpcEndpoint(
            f"{self._name}-glue",
            vpc_id=vpc.id,
            vpc_endpoint_type="Interface",
            service_name=pulumi.Output.concat(service, ".glue"),
            private_dns_enabled=True,
            policy=catalogue_policy,
            subnet_ids=[subnet.id for subnet in subnets],
            security_group_ids=[group.id],
            opts=self._options,
        )
        return subnets, group, [storage, catalogue]

    def _security_group(self, vpc: aws.ec2.Vpc, storage: aws.ec2.VpcEndpoint) -> aws.ec2.SecurityGroup:
        """The group of the warehouse and of Glue's endpoint: they reach each other and S3, by TLS."""
        group = aws.ec2.SecurityGroup(
            self._name,
            description="The warehouse and its way to Glue and S3",
            vpc_id=vpc.id,
            opts=self._options,
        )
        aws.vpc.SecurityGroupIngressRule(
            self._name,
            security_group_id=group.id,
            referenced_security_group_id=group.id,
            description="From the warehouse to the endpoint of Glue",
            ip_protocol="tcp",
            from_port=443,
            to_port=443,
            opts=self._options,
        )
        aws.vpc.SecurityGroupEgressRule(
            self._name,
            security_group_id=group.id,
            referenced_security_group_id=group.id,
            description="From the warehouse to the endpoint of Glue",
            ip_protocol="tcp",
            from_port=443,
            to_port=443,
            opts=self._options,
        )
        aws.vpc.SecurityGroupEgressRule(
            f"{self._name}-s3",
            security_group_id=group.id,
            prefix_list_id=storage.prefix_list_id,
            description="To S3",
            ip_protocol="tcp",
            from_port=443,
            to_port=443,
            opts=self._options,
        )
        return group

    def _flow_log(self, vpc: aws.ec2.Vpc, account: Account) -> None:
        """Records refused connections (AWS FSBP EC2.6)."""
        name = f"{self._name}-flow"
        log_group = aws.cloudwatch.LogGroup(
            name, name=f"/aws/vpc/{self._name}", retention_in_days=90, opts=self._options
        )
        role = service_role(
            name,
            "vpc-flow-logs.amazonaws.com",
            [
                allow(
                    ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
                    pulumi.Output.concat(log_group.arn, ":*"),
                ),
                allow(["logs:DescribeLogGroups"], "*"),  # AWS grants it on nothing narrower
            ],
            description="Writes the network's flow log",
            parent=self,
            # https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-iam-role.html
            conditions=from_account(account, account.arn("ec2", "vpc-flow-log/*")),
        )
        aws.ec2.FlowLog(
            name,
            vpc_id=vpc.id,
            traffic_type="REJECT",
            log_destination_type="cloud-watch-logs",
            log_destination=log_group.arn,
            iam_role_arn=role.role.arn,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[role.policy]),
        )


def _reading_buckets(args: WarehouseArgs) -> list[Statement]:
    return [
        allow(["s3:GetBucketLocation", "s3:ListBucket"], *map(bucket_arn, args["buckets"])),
        allow(["s3:GetObject"], *(bucket_arn(bucket, "*") for bucket in args["buckets"])),
    ]


def _through(*statements: Statement) -> pulumi.Output[str]:
    """The policy of an endpoint that lets these through; whose they are is for the callers' own policies to say."""
    return document(*({**statement, "Principal": "*"} for statement in statements))

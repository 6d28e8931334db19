"""Resource types of EC2's networks."""

from typing import Any

from emulator.resources.inputs import Inputs
from emulator.resources.registry import Clients, Created


def vpc(aws: Clients, inputs: Inputs) -> Created:
    ec2 = aws("ec2")
    id_ = ec2.create_vpc(CidrBlock=inputs["cidrBlock"])["Vpc"]["VpcId"]
    for attribute in ("enableDnsSupport", "enableDnsHostnames"):  # AWS takes one in each request
        if inputs.optional(attribute) is not None:
            name = attribute[0].upper() + attribute[1:]
            ec2.modify_vpc_attribute(VpcId=id_, **{name: {"Value": inputs[attribute]}})
    own = [_filter("vpc-id", id_), _filter("association.main", "true")]
    [table] = ec2.describe_route_tables(Filters=own)["RouteTables"]
    return id_, {"defaultRouteTableId": table["RouteTableId"]}


def default_security_group(aws: Clients, inputs: Inputs) -> Created:
    """Takes over the group that the network came with, and takes all its rules away, as Pulumi does."""
    ec2 = aws("ec2")
    own = [_filter("vpc-id", inputs["vpcId"]), _filter("group-name", "default")]
    [group] = ec2.describe_security_groups(Filters=own)["SecurityGroups"]
    if group["IpPermissions"]:
        ec2.revoke_security_group_ingress(GroupId=group["GroupId"], IpPermissions=group["IpPermissions"])
    if group["IpPermissionsEgress"]:
        ec2.revoke_security_group_egress(GroupId=group["GroupId"], IpPermissions=group["IpPermissionsEgress"])
    return group["GroupId"], {}


def subnet(aws: Clients, inputs: Inputs) -> Created:
    created = aws("ec2").create_subnet(
        VpcId=inputs["vpcId"], CidrBlock=inputs["cidrBlock"], AvailabilityZone=inputs["availabilityZone"]
    )
    return created["Subnet"]["SubnetId"], {}


def endpoint(aws: Clients, inputs: Inputs) -> Created:
    ec2 = aws("ec2")
    created = ec2.create_vpc_endpoint(
        VpcId=inputs["vpcId"],
        ServiceName=inputs["serviceName"],
        **inputs.request(
            VpcEndpointType="vpcEndpointType",
            PolicyDocument="policy",
            RouteTableIds="routeTableIds",
            SubnetIds="subnetIds",
            SecurityGroupIds="securityGroupIds",
            PrivateDnsEnabled="privateDnsEnabled",
        ),
    )["VpcEndpoint"]
    if inputs["vpcEndpointType"] != "Gateway":
        return created["VpcEndpointId"], {}
    lists = ec2.describe_prefix_lists(Filters=[_filter("prefix-list-name", inputs["serviceName"])])["PrefixLists"]
    [addresses] = [each["PrefixListId"] for each in lists if each["PrefixListName"] == inputs["serviceName"]]
    return created["VpcEndpointId"], {"prefixListId": addresses}


def security_group(aws: Clients, inputs: Inputs) -> Created:
    """Without the rule that lets everything out: Pulumi takes it away from every new group."""
    ec2 = aws("ec2")
    created = ec2.create_security_group(
        GroupName=inputs.optional("name", inputs.name), Description=inputs["description"], VpcId=inputs["vpcId"]
    )
    id_ = created["GroupId"]
    [group] = ec2.describe_security_groups(GroupIds=[id_])["SecurityGroups"]
    if group["IpPermissionsEgress"]:
        ec2.revoke_security_group_egress(GroupId=id_, IpPermissions=group["IpPermissionsEgress"])
    return id_, {}


def ingress_rule(aws: Clients, inputs: Inputs) -> Created:
    return _rule(aws("ec2").authorize_security_group_ingress, inputs)


def egress_rule(aws: Clients, inputs: Inputs) -> Created:
    return _rule(aws("ec2").authorize_security_group_egress, inputs)


def _rule(authorize: Any, inputs: Inputs) -> Created:
    permission = inputs.request(IpProtocol="ipProtocol", FromPort="fromPort", ToPort="toPort")
    about = inputs.request(Description="description")
    if inputs.optional("referencedSecurityGroupId"):
        permission["UserIdGroupPairs"] = [{"GroupId": inputs["referencedSecurityGroupId"], **about}]
    else:
        permission["PrefixListIds"] = [{"PrefixListId": inputs["prefixListId"], **about}]
    [rule] = authorize(GroupId=inputs["securityGroupId"], IpPermissions=[permission])["SecurityGroupRules"]
    return rule["SecurityGroupRuleId"], {}


def flow_log(aws: Clients, inputs: Inputs) -> Created:
    created = aws("ec2").create_flow_logs(
        ResourceIds=[inputs["vpcId"]],
        ResourceType="VPC",
        **inputs.request(
            TrafficType="trafficType",
            LogDestination="logDestination",
            LogDestinationType="logDestinationType",
            DeliverLogsPermissionArn="iamRoleArn",
        ),
    )
    [id_] = created["FlowLogIds"]
    return id_, {}


def _filter(name: str, value: str) -> dict[str, Any]:
    return {"Name": name, "Values": [value]}


RESOURCES = {
    "aws:ec2/vpc:Vpc": vpc,
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": default_security_group,
    "aws:ec2/subnet:Subnet": subnet,
    "aws:ec2/vpcEndpoint:VpcEndpoint": endpoint,
    "aws:ec2/securityGroup:SecurityGroup": security_group,
    "aws:ec2/flowLog:FlowLog": flow_log,
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": ingress_rule,
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": egress_rule,
}

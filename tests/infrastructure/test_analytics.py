"""The catalogue says what the contracts say, and queries cost what they may."""

import json
from typing import Any

from runtime.contract_file import load_contracts
from runtime.tables import Table, dataset_table, ledger_table, quarantine_table
from tests.infrastructure.recording import ROOT, Recorded, Recording

CONTRACTS = load_contracts(ROOT / "contracts")
TABLES = [*(make(contract) for contract in CONTRACTS for make in (dataset_table, quarantine_table)), ledger_table()]


def _catalogued(deployment: Recording, table: Table) -> Recorded:
    (found,) = [
        each for each in deployment.of_type("aws:glue/catalogTable:CatalogTable") if each.inputs["name"] == table.name
    ]
    return found


def _own(deployment: Recording, type_: str) -> list[Recorded]:
    """The component's own resources of a type: a feature store has views and queries too."""
    return [each for each in deployment.of_type(type_) if "retail-pipeline:index:Analytics$" in each.urn]


def test_the_catalogue_has_the_tables_of_the_contracts_and_the_ledger(deployment: Recording) -> None:
    tables = _own(deployment, "aws:glue/catalogTable:CatalogTable")
    assert {table.inputs["name"] for table in tables} == {table.name for table in TABLES}
    assert {table.inputs["databaseName"] for table in tables} == {deployment.exports["database"]}


def test_a_table_has_the_columns_and_the_place_of_its_contract(deployment: Recording) -> None:
    for table in TABLES:
        inputs = _catalogued(deployment, table).inputs
        storage = inputs["storageDescriptor"]
        assert _names_and_types(storage["columns"]) == [(c.name, c.type) for c in table.columns]
        partitions = [(c.name, c.type) for c in table.partition_columns]
        assert _names_and_types(inputs.get("partitionKeys", [])) == partitions
        bucket = deployment.exports[f"{table.bucket}_bucket"]
        assert storage["location"] == f"s3://{bucket}/{table.prefix}"


def _names_and_types(columns: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(column["name"], column["type"]) for column in columns]


def test_json_and_parquet_have_their_readers(deployment: Recording) -> None:
    readers = {
        _catalogued(deployment, table).inputs["storageDescriptor"]["serDeInfo"]["serializationLibrary"]
        for table in TABLES
        if table.format == "json"
    }
    assert readers == {"org.openx.data.jsonserde.JsonSerDe"}


def test_queries_are_limited_encrypted_and_kept_apart(deployment: Recording, stack: str) -> None:
    (workgroup,) = deployment.of_type("aws:athena/workgroup:Workgroup")
    configuration = workgroup.inputs["configuration"]
    assert configuration["enforceWorkgroupConfiguration"] is True
    assert configuration["engineVersion"] == {"selectedEngineVersion": "Athena engine version 3"}
    assert configuration["bytesScannedCutoffPerQuery"] == (1000 if stack == "prod" else 100) * 10**9
    results = configuration["resultConfiguration"]
    assert results["outputLocation"] == f"s3://{deployment.exports['artefact_bucket']}/athena-results/"
    encryption = results["encryptionConfiguration"]
    if stack in ("everything", "existing", "prod"):
        assert encryption["encryptionOption"] == "SSE_KMS"
        assert ":key/" in encryption["kmsKeyArn"]
    else:
        assert encryption == {"encryptionOption": "SSE_S3"}


def test_saved_queries_ask_for_totals_refusals_and_the_ledger(deployment: Recording) -> None:
    queries = {q.inputs["name"]: q.inputs for q in _own(deployment, "aws:athena/namedQuery:NamedQuery")}
    expected = {"ledger-summary"}
    expected |= {f"{contract.name}-{what}" for contract in CONTRACTS for what in ("totals", "refused-rows")}
    assert set(queries) == expected
    assert {query["workgroup"] for query in queries.values()} == {deployment.exports["workgroup"]}


def test_saved_queries_run_on_their_tables(deployment: Recording) -> None:
    import duckdb

    connection = duckdb.connect()
    for table in TABLES:
        columns = ", ".join(
            f'"{column.name}" {_duckdb_type(column.type)}' for column in (*table.columns, *table.partition_columns)
        )
        connection.execute(f'CREATE TABLE "{table.name}" ({columns})')
    for query in _own(deployment, "aws:athena/namedQuery:NamedQuery"):
        connection.execute(query.inputs["query"]).fetchall()


def _duckdb_type(hive_type: str) -> str:
    return "varchar[]" if hive_type == "array<string>" else hive_type


def test_the_warehouse_is_there_when_it_is_wanted(deployment: Recording, stack: str) -> None:
    workgroups = deployment.of_type("aws:redshiftserverless/workgroup:Workgroup")
    assert len(workgroups) == (stack in ("everything", "prod"))


def test_the_warehouse_is_out_of_reach_and_limited(everything: Recording) -> None:
    """[RedshiftServerless.1] [.2] [.3] [.5] [.6]"""
    (workgroup,) = everything.of_type("aws:redshiftserverless/workgroup:Workgroup")
    assert workgroup.inputs["publiclyAccessible"] is False
    assert workgroup.inputs["enhancedVpcRouting"] is True
    assert {"parameterKey": "require_ssl", "parameterValue": "true"} in workgroup.inputs["configParameters"]
    (namespace,) = everything.of_type("aws:redshiftserverless/namespace:Namespace")
    assert namespace.inputs["manageAdminPassword"] is True
    assert namespace.inputs["adminUsername"] != "admin"
    assert {"connectionlog", "userlog"} <= set(namespace.inputs["logExports"])
    (limit,) = everything.of_type("aws:redshiftserverless/usageLimit:UsageLimit")
    assert limit.inputs["breachAction"] == "deactivate"
    for rule in everything.of_type("aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"):
        assert "cidrIpv4" not in rule.inputs


def test_the_warehouse_s_endpoints_let_through_the_lake_and_the_catalogue_only(everything: Recording) -> None:
    """Without policies of their own they would let every caller through to every bucket of every account."""
    rights = {
        endpoint.name.rpartition("-")[2]: json.loads(endpoint.inputs["policy"])["Statement"]
        for endpoint in everything.of_type("aws:ec2/vpcEndpoint:VpcEndpoint")
    }
    assert rights.keys() == {"s3", "glue"}
    buckets = {everything.exports[f"{purpose}_bucket"] for purpose in ("processed", "quarantine", "ledger")}
    reached = {resource for statement in rights["s3"] for resource in statement["Resource"]}
    assert {arn.partition("arn:aws:s3:::")[2].partition("/")[0] for arn in reached} == buckets
    assert {arn.rpartition(":")[2].split("/")[0] for arn in rights["glue"][0]["Resource"]} == {
        "catalog",
        "database",
        "table",
    }
    assert all("*" not in statement["Resource"] for each in rights.values() for statement in each)
    own = json.loads(everything.one("aws:iam/rolePolicy:RolePolicy", "-warehouse").inputs["policy"])
    used = {action for statement in own["Statement"] for action in statement["Action"]}
    let_through = {action for each in rights.values() for statement in each for action in statement["Action"]}
    assert used - let_through == {"kms:Decrypt"}


def test_redshift_serverless_may_assume_its_role_by_both_of_its_names(everything: Recording) -> None:
    """https://docs.aws.amazon.com/redshift/latest/mgmt/serverless-security-other-services.html"""
    trust = json.loads(everything.one("aws:iam/role:Role", "-warehouse").inputs["assumeRolePolicy"])
    assert {statement["Principal"]["Service"] for statement in trust["Statement"]} == {
        "redshift.amazonaws.com",
        "redshift-serverless.amazonaws.com",
    }


def test_the_warehouse_sees_the_lake_however_often_it_is_told(everything: Recording) -> None:
    (statement,) = everything.of_type("aws:redshiftdata/statement:Statement")
    assert statement.inputs["sql"] == (
        f"CREATE EXTERNAL SCHEMA IF NOT EXISTS lake FROM DATA CATALOG DATABASE "
        f"'{everything.exports['database']}' IAM_ROLE default"
    )


def test_the_crawler_runs_on_a_schedule_or_on_demand(deployment: Recording, stack: str) -> None:
    (crawler,) = deployment.of_type("aws:glue/crawler:Crawler")
    assert crawler.inputs.get("schedule") == ("cron(0 3 * * ? *)" if stack in ("dev", "everything", "prod") else None)
    assert json.loads(crawler.inputs["configuration"])["Grouping"] == {
        "TableGroupingPolicy": "CombineCompatibleSchemas"
    }

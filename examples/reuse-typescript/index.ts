// A project of its own: watches costs, and lets analysts read a lake, with buckets and a topic that it has already.
//
// `pulumi install` makes the SDK of the package that Pulumi.yaml names; then `pulumi up`.

import * as path from "node:path";

import * as pulumi from "@pulumi/pulumi";
import * as retail from "@pulumi/retail-pipeline";

const config = new pulumi.Config();
const topicArns = [config.require("topicArn")];
const buckets = config.requireObject<{ processed: string; quarantine: string; ledger: string }>("buckets");

const budget = new retail.Budget("bookshop", { monthlyDollars: 50, topicArns });
new retail.Chat("bookshop", { topicArns, slack: { workspace: "T0123ABCDEF", channel: "C0123ABCDEF" } });
const lake = new retail.LakeFormation("bookshop", {
    contracts: path.resolve(__dirname, "../../contracts"), // absolute: the package runs in a folder of its own
    database: config.require("database"),
    processedBucket: buckets.processed,
    quarantineBucket: buckets.quarantine,
    ledgerBucket: buckets.ledger,
    readers: config.requireObject<string[]>("readers"),
});

export const budgetName: pulumi.Output<string> = budget.budget;
export const sensitivityTag: pulumi.Output<string> = lake.tag;

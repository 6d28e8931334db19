"""The pipeline's infrastructure as Pulumi components: storage, notices, analytics, orchestration, alerting."""

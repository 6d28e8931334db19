"""An AWS on this machine: deploys the real Pulumi program, without the Pulumi CLI and without an account."""

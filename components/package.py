"""The components as a Pulumi package, for programs in other projects and languages."""

import pulumi

from components.alerting import Alerting
from components.analytics import Analytics
from components.budget import Budget
from components.chat import Chat
from components.feature_store import FeatureStore
from components.lake_formation import LakeFormation
from components.notices import Notices
from components.orchestration import Orchestration
from components.quicksight import QuickSight
from components.storage import Storage
from components.warehouse import Warehouse

COMPONENTS: list[type[pulumi.ComponentResource]] = [
    *(Alerting, Analytics, Budget, Chat, FeatureStore, LakeFormation, Notices),
    *(Orchestration, QuickSight, Storage, Warehouse),
]

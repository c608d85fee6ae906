"""DiracX's words for its configuration: the sections of one VO, and what we say of its resources beside them."""

from typing import Any

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_pascal

FREE_SECTIONS = (
    "Cloud", "DataConsistency", "DataManagement", "EMail", "GaudiExecution", "Hospital", "JobScheduling",
    "JobTypeMapping", "LogFiles", "LogStorage", "Logging", "Matching", "MonitoringBackends", "NagiosConnector", "Pilot",
    "Productions", "ResourceStatus", "Shares", "Shifter", "SiteSEMappingByProtocol", "TransformationPlugins",
    "Transformations",
)  # fmt: skip
"""Sections of `Operations` that may hold whatever a VO likes: documents of kind ClientSettings, by the same names."""
BETWEEN = ":"
"""Stands between the names of options within options, which our documents have not."""
SHARE = 1000
"""What DIRAC calls a share that is as large as any other; ours is 1."""


SPELLINGS = {
    "ces": "CEs", "ce_type": "CEType", "client_id": "ClientID", "default_cpu_time": "DefaultCPUTime", "dirac": "DIRAC",
    "idp": "IdP", "max_cpu_time": "MaxCPUTime", "max_ram": "MaxRAM", "mc_testing_destination": "MCTestingDestination",
    "min_cpu_time": "MinCPUTime", "os_compatibility": "OSCompatibility", "queue_cpu_time": "maxCPUTime", "se": "SE",
    "url": "URL",
}  # fmt: skip
"""Names that DIRAC spells in a way of its own."""


def _spelled(name: str) -> str:
    return SPELLINGS.get(name) or to_pascal(name)


class Section(BaseModel):
    """A section, whose options are spelled in DIRAC's way."""

    model_config = ConfigDict(alias_generator=_spelled, populate_by_name=True)


class Dirac(Section):
    """What an installation begins with."""

    no_setup: bool = False


class JobDescription(Section):
    """Defaults and limits of job descriptions; those of times, priorities and types are DIRAC's own."""

    default_cpu_time: int = 86_400
    default_priority: int = 1
    min_cpu_time: int = 100
    min_priority: int = 0
    max_cpu_time: int = 500_000
    max_priority: int = 10
    max_input_data: int
    allowed_job_types: list[str] = ["User", "Test", "Hospital"]


class JobMonitoring(Section):
    """Whose jobs one may look at: everybody's, within the VO."""

    global_jobs_info: bool = True


class JobScheduling(Section):
    """How often a job is tried."""

    enable_shares_correction: bool = False
    max_rescheduling: int = 3


class Services(Section):
    """Options of services."""

    catalogs: dict[str, Any] | None = None
    job_monitoring: JobMonitoring = JobMonitoring()
    job_scheduling: JobScheduling = JobScheduling()


class Operations(Section, extra="allow"):
    """How a VO works; beside this, its free sections."""

    enable_security_logging: bool = False
    job_description: JobDescription
    services: Services = Services()


class Provider(Section):
    """Who vouches for the people of a VO."""

    url: str
    client_id: str


class Support(Section):
    """Whom to ask."""

    email: str | None
    webpage: str
    message: str


class User(Section):
    """An account. Neither its address nor its names in certificates are told."""

    prefered_username: str
    suspended: list[str] = []


class Group(Section):
    """A group; its users are said by their subjects."""

    properties: list[str]
    users: list[str]
    job_share: int


class Registry(Section):
    """The accounts and groups of a VO."""

    idp: Provider
    support: Support
    default_group: str
    users: dict[str, User]
    groups: dict[str, Group]


class Computing(Section):
    """Which platforms run each other's programs: nothing here says so."""

    os_compatibility: dict[str, list[str]] = {}


class ComputeElement(Section):
    """A CE, and what a slot behind it is like: memory in MB, time in minutes."""

    ce_type: str
    number_of_processors: int
    max_ram: int
    queue_cpu_time: int
    max_total_jobs: int
    tag: list[str]


class Site(Section):
    """A site: its CEs, and the names of its storage elements."""

    name: str
    ces: dict[str, ComputeElement]
    se: list[str]


class AccessProtocol(Section):
    """A way to reach a storage element."""

    protocol: str
    host: str
    port: str
    path: str


class StorageElement(Section, extra="allow"):
    """A storage element, and what may be done there now; beside this, its protocols as `AccessProtocol.1` and so on."""

    backend_type: str
    read_access: str
    write_access: str
    check_access: str
    remove_access: str


class Resources(Section):
    """Sites by domain and name, and storage elements, of which DiracX's own model knows nothing."""

    computing: Computing = Computing()
    sites: dict[str, dict[str, Site]]
    storage_elements: dict[str, StorageElement]


class Config(Section):
    """All that a VO may know."""

    dirac: Dirac = Dirac()
    operations: dict[str, Operations]
    registry: dict[str, Registry]
    resources: Resources
    local_site: None = None
    log_level: None = None
    mc_testing_destination: None = None
    systems: None = None
    web_app: None = None

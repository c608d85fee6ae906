"""What can go wrong in the namespace; each class is one `code` of the native API."""

from sancho.dids.errors.catalogue import (
    ArchiveNested,
    AttachedAlready,
    ChecksumMalformed,
    CollectionClosed,
    CollectionMonotonic,
    Cycle,
    DidExists,
    DidNotFound,
    ErasureBegun,
    FileAttachedAlready,
    FileDiffers,
    GuidMalformed,
    GuidTaken,
    GuidUnknown,
    KindsMismatch,
    NotACollection,
    NotADataset,
    NotAnArchive,
    NotAttached,
    PathNotFound,
    ScopeExists,
    ScopeMalformed,
    ScopeNotFound,
    ScopeNotYours,
    ScopeOwnerMissing,
    SizeMissing,
)
from sancho.dids.errors.keeping import (
    LifetimeExceptionDecided,
    LifetimeExceptionNotFound,
    UntilPast,
)
from sancho.dids.errors.metadata import (
    MetadataKeyInUse,
    MetadataKeyInvalid,
    MetadataKeyNotIndexed,
    MetadataKeyUnknown,
    MetadataMissing,
    MetadataUnfit,
    NotSmart,
    WhereMissing,
)
from sancho.dids.errors.publishing import (
    AboutUnfit,
    DoiMalformed,
    DoiTaken,
    IsPublic,
    PublicationExists,
    PublicationNotFound,
    PublicationOpen,
    PublicationStateUnfit,
    RecordTaken,
)
from sancho.dids.model import DidMalformed, PathMalformed

__all__ = [
    "AboutUnfit", "ArchiveNested", "AttachedAlready", "ChecksumMalformed", "CollectionClosed",
    "CollectionMonotonic", "Cycle", "DidExists", "DidMalformed", "DidNotFound", "DoiMalformed", "DoiTaken",
    "ErasureBegun", "FileAttachedAlready", "FileDiffers", "GuidMalformed", "GuidTaken", "GuidUnknown",
    "IsPublic", "KindsMismatch", "LifetimeExceptionDecided", "LifetimeExceptionNotFound", "MetadataKeyInUse",
    "MetadataKeyInvalid", "MetadataKeyNotIndexed", "MetadataKeyUnknown", "MetadataMissing", "MetadataUnfit",
    "NotACollection", "NotADataset", "NotAnArchive", "NotAttached", "NotSmart", "PathMalformed", "PathNotFound",
    "PublicationExists", "PublicationNotFound", "PublicationOpen", "PublicationStateUnfit", "RecordTaken",
    "ScopeExists", "ScopeMalformed", "ScopeNotFound", "ScopeNotYours", "ScopeOwnerMissing", "SizeMissing",
    "UntilPast", "WhereMissing",
]  # fmt: skip

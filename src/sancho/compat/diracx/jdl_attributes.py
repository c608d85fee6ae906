"""The attributes of a JDL: what there is, what each becomes, and how its value is read. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from sancho.compat.diracx.errors import JdlUnfit
from sancho.compat.diracx.jdl_grammar import Attributes, Value
from sancho.compat.diracx.jdl_parameters import Number, number

SERVED: Mapping[str, str] = {
    "Executable": "The first word of the command, which may hold more. With an input sandbox or input data, a file of "
    "this name in the job's folder goes first and is made executable; else it is looked up in the payload's PATH.",
    "Arguments": "The other words of the command, as a shell would split them; no shell runs.",
    "StdOutput": "Always kept and returned in the output sandbox, as `stdout`.",
    "StdError": "Always kept and returned in the output sandbox, as `stderr`.",
    "JobName": "The job's name, the same for all jobs of a parametric JDL; by default that of the executable.",
    "InputSandbox": "One sandbox that was uploaded before, `SB:…`; files of the catalogue, `LFN:…`, are inputs.",
    "OutputSandbox": "Names and patterns of the output sandbox.",
    "InputData": "Inputs: `LFN:/VO/SCOPE/NAME`, with or without `LFN:`, is the DID `SCOPE:NAME`, a file or a "
    "dataset; that of another VO must be shared with yours. A DID is taken as well.",
    "OutputData": "Outputs that the job promises: names of files, without patterns, or whole LFNs.",
    "OutputPath": "Where outputs go that are no whole LFN: `/VO/SCOPE/…`, or a path in your own scope. By default a "
    "new one below `jobs/` there.",
    "OutputSE": "The RSEs of which one holds each output, by a rule; by default any.",
    "CPUTime": "In HS06 seconds: divided by `SANCHO_DIRACX__CORE_BENCHMARK` it is the wall time; by default 1 h.",
    "Site": "Sites, of which one must be where the job runs; `ANY` is any.",
    "BannedSites": "Sites where the job does not run.",
    "JobGroup": "The name for jobs that belong together, the same for all jobs of a parametric JDL.",
    "JobType": "What kind of job it is, likewise.",
    "Platform": "The tag `platform:NAME` of one of them, which a compute element must have; `ANY` is none.",
    "Tags": "Tags that a compute element must have. `Tag` is the same.",
    "NumberOfProcessors": "Cores.",
    "MinNumberOfProcessors": "Cores.",
    "MaxNumberOfProcessors": "Up to how many cores the job gets, where a slot has them.",
    "WholeNode": "When true, the tag `WholeNode`.",
    "MinRAM": "Memory in GB; a job that uses more is stopped, so `MaxRAM` counts where it is larger.",
    "MaxRAM": "Memory in GB.",
    "Priority": "The priority within your group.",
    "Environment": "Variables: a record, or `NAME=VALUE` in a list or a text with `;` between; values may be encoded "
    "as in URLs. `ExecutionEnvironment` is the same.",
    "Parameters": "How many jobs, or their values, for `%s`; `Parameters.X` for `%(X)s`. `%n` counts jobs from 0.",
    "ParameterStart": "The first value; 1 by default. `ParameterStart.X` likewise.",
    "ParameterStep": "What is added from job to job; 0 by default.",
    "ParameterFactor": "What is multiplied with from job to job, before the step is added; 1 by default.",
}  # fmt: skip
"""What each attribute becomes."""
SAME: Mapping[str, str] = {"tag": "tags", "executionenvironment": "environment", "sites": "site"}
"""Other spellings, both in small letters."""
IGNORED = (
    "DIRACSetup", "InputDataModule", "InputDataPolicy", "JobConfigArgs", "JobID", "JobRequirements",
    "LogLevel", "Origin", "Owner", "OwnerDN", "OwnerGroup", "OwnerName", "Parameter", "ParameterNumber",
    "SubmitPool", "VirtualOrganization", "VO",
)  # fmt: skip
"""Attributes that are known and change nothing here."""
REFUSED: Mapping[str, str] = {
    "GridCE": "cannot be served: a job cannot ask for one compute element; name a Site, or Tags"
}
_LONG = 6
"""Letters of the shortest name that may be taken for misspelt."""
_KNOWN = {name.lower(): name for name in (*SERVED, *IGNORED, *REFUSED)} | {name: name for name in SAME}


def _shorter(name: str) -> set[str]:
    return {name[:at] + name[at + 1 :] for at in range(len(name))}


_ALIKE = {short: name for key, name in _KNOWN.items() if len(key) >= _LONG for short in {key, *_shorter(key)}}
"""Known names by what is left when a letter is missing: two that differ by one letter meet there."""


@dataclass(frozen=True)
class Said:
    """What a JDL says, by names in small letters; reading an attribute raises `JdlUnfit` for what it cannot be."""

    attributes: Mapping[str, tuple[str, Value]]

    @classmethod
    def of(cls, attributes: Attributes) -> "Said":
        """Look at the names of attributes: those that are refused or misspelt raise `JdlUnfit`, unknown ones pass."""
        said: dict[str, tuple[str, Value]] = {}
        for spelled, value in attributes.items():
            key = spelled.lower()
            if key in said or SAME.get(key) in said:
                raise JdlUnfit(attribute=spelled[:100], reason="is said twice, by two of its names")
            said[SAME.get(key, key)] = spelled, value
            _check_name(spelled, key, value)
        return cls(said)

    def with_values(self, values: Mapping[str, Value]) -> "Said":
        """The same with other values for some attributes."""
        return Said({key: (spelled, values.get(key, value)) for key, (spelled, value) in self.attributes.items()})

    def value(self, name: str) -> Value:
        """The value as it is; an empty text when there is none."""
        return self.attributes.get(name.lower(), ("", ""))[1]

    def text(self, name: str, longest: int, default: str = "") -> str:
        """A text without blanks around it; of a list, its texts with blanks between."""
        value = self.value(name)
        if isinstance(value, dict):
            raise JdlUnfit(attribute=name, reason="is not a text")
        text = (" ".join(_flat(name, value)) if isinstance(value, list) else value).strip()
        if len(text) > longest:
            raise JdlUnfit(attribute=name, reason=f"is longer than {longest} characters")
        return text or default

    def texts(self, name: str, *, most: int, longest: int, between: str = ",") -> list[str]:
        """Texts, each one once: those of a list, or the parts of a text with one of these characters between them."""
        value = self.value(name)
        parts = _flat(name, value) if isinstance(value, list) else re.split(f"[{between}]", _text(name, value))
        found = list(dict.fromkeys(part.strip() for part in parts if part.strip()))
        if len(found) > most:
            raise JdlUnfit(attribute=name, reason=f"has more than {most} values")
        if any(len(one) > longest for one in found):
            raise JdlUnfit(attribute=name, reason=f"has a value of more than {longest} characters")
        return found

    def number(self, name: str, *, least: Number, most: Number, whole: bool = True) -> Number | None:
        """A number between two others, both of which it may be; None when it is not said."""
        value = self.value(name)
        if value == "":
            return None
        found = number(name, value)
        if whole and found != int(found):
            raise JdlUnfit(attribute=name, reason="is not a whole number")
        if not least <= found <= most:
            raise JdlUnfit(attribute=name, reason=f"is not between {least} and {most}")
        return int(found) if whole else found

    def flag(self, name: str) -> bool:
        """True or false."""
        text = self.text(name, 10).lower()
        if text not in {"", "true", "false", "yes", "no", "1", "0"}:
            raise JdlUnfit(attribute=name, reason="is neither true nor false")
        return text in {"true", "yes", "1"}


def _text(name: str, value: Value) -> str:
    if not isinstance(value, str):
        raise JdlUnfit(attribute=name, reason="has something else than texts in it")
    return value


def _flat(name: str, value: list[Value]) -> list[str]:
    """The texts in a list, and in lists in it; the parser has seen to it that they do not nest deeply."""
    return [text for one in value for text in (_flat(name, one) if isinstance(one, list) else [_text(name, one)])]


def _check_name(spelled: str, key: str, value: Value) -> None:
    known = _KNOWN.get(key)
    if (
        known is not None
        and known in REFUSED
        and (not isinstance(value, str) or value.strip().lower() not in {"", "any"})
    ):
        raise JdlUnfit(attribute=known, reason=REFUSED[known])
    if known is None and _LONG <= len(key) <= 50 and key.isalpha():
        alike = next((_ALIKE[short] for short in (key, *sorted(_shorter(key))) if short in _ALIKE), None)
        if alike is not None:
            raise JdlUnfit(attribute=spelled[:100], reason=f"is not known; {alike} is")

"""The doctor's visit: facts, rates, a trial of a better kernel, findings; as text or JSON."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from symdiff.doctor.facts import Machine, read_machine
from symdiff.doctor.judge import Finding, better_kernel, findings
from symdiff.doctor.measure import Gemm, Rates, Trial, measure, try_setting

TRIAL = 0.5  # seconds from which a child process is worth its start


@dataclass(frozen=True)
class Report:
    """``rates`` and ``trial`` are None where nothing was measured."""

    machine: Machine
    rates: Rates | None = None
    trial: Trial | None = None

    @property
    def findings(self) -> list[Finding]:
        return findings(self.machine, self.rates, self.trial)

    def to_json(self) -> str:
        """Machine, rates, trial and findings, by the names of their fields."""
        found = {**asdict(self), "findings": [asdict(one) for one in self.findings]}
        return json.dumps(found, indent=2, ensure_ascii=False)

    def to_text(self) -> str:
        return "\n".join([*_facts(self.machine), *_rates(self.rates), *_said(self.findings)])


def examine(seconds: float) -> Report:
    """Look at this machine and measure for about so many seconds; 0 measures nothing."""
    machine = read_machine()
    if seconds <= 0:
        return Report(machine)
    better = better_kernel(machine)
    tried = better is not None and seconds >= TRIAL
    rates = measure(seconds * (0.7 if tried else 1.0), machine.blas.threads)
    trial = None
    if better is not None and tried:
        sizes = {gemm.dtype: gemm.size for gemm in rates.gemm if gemm.threads == 1}
        trial = try_setting(better.variable, better.value, seconds * 0.3, sizes)
    return Report(machine, rates, trial)


def _facts(machine: Machine) -> list[str]:
    blas = machine.blas
    threads = "unknown" if blas.threads is None else str(blas.threads)
    layer = f" ({blas.layer})" if blas.layer else ""
    share = f"{machine.usable} of {machine.cpus} CPUs usable, {machine.cores} physical cores"
    if machine.quota is not None:
        share += f", a quota of {machine.quota:g}"
    if machine.load is not None:
        share += f", load {machine.load:.1f}"
    settings = " ".join(f"{name}={value}" for name, value in machine.settings.items())
    rows = {
        "NumPy": machine.numpy,
        "BLAS": f"{blas.name} {blas.version or ''}".strip(),
        "kernel": blas.kernel or "unknown",
        "threads": threads + layer,
        "CPU": machine.cpu,
        "CPUs": share,
        "vectors": " ".join(machine.flags) or "unknown",
        "set": settings or "nothing",
    }
    return [f"{name:<8} {value}" for name, value in rows.items()]


def _rates(rates: Rates | None) -> list[str]:
    if rates is None:
        return []
    lines = ["", *(f"{_product(g):<44} {g.gflops:8.1f} Gflop/s" for g in rates.gemm)]
    if rates.copy is not None:
        name = f"copy of {rates.copy.bytes >> 20} MiB, 1 thread"
        lines.append(f"{name:<44} {rates.copy.gbytes:8.1f} GB/s, read and written")
    return lines


def _product(gemm: Gemm) -> str:
    threads = "threads as they are" if gemm.threads is None else f"{gemm.threads} thread"
    threads += "s" if gemm.threads is not None and gemm.threads > 1 else ""
    return f"{gemm.dtype} product, {gemm.size} x {gemm.size}, {threads}"


def _said(found: list[Finding]) -> list[str]:
    """The findings; then what to set always, then what to set on a condition."""
    lines = ["", *(f"{one.subject}: {one.said}" for one in found if not one.when)]
    always = [one.setting.line() for one in found if one.setting and not one.when]
    lines += ["", *always] if always else ["nothing has to be set"]
    for one in found:
        if one.when:
            lines += ["", f"{one.subject}: {one.said}"]
            lines += [f"  if {one.when}:", f"  {one.setting.line()}"] if one.setting else []
    return lines

"""From facts and rates to findings: what is amiss, and which variable mends it.

Everything here is a function of values, so that machines can be made up.  What OpenBLAS does is
from its source: the kernel is chosen by CPU model among those that the library was built with
(driver/others/dynamic.c; NumPy's wheels have few), ``OPENBLAS_CORETYPE`` overrides it, and waiting
threads spin for 2**OPENBLAS_THREAD_TIMEOUT cycles, the exponent being kept within 4 and 30
(driver/others/blas_server.c), before they sleep.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import geometric_mean

from symdiff.doctor.facts import AVX2, AVX512, Machine
from symdiff.doctor.measure import Rates, Trial

#: The vector flags that each of OpenBLAS's x86 kernels makes use of, oldest first.
KERNELS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(
        (
            "katmai coppermine northwood prescott banias athlon core2 penryn dunnington nehalem "
            "opteron opteron_sse3 barcelona bobcat atom nano sandybridge bulldozer piledriver "
            "steamroller excavator"
        ).split(),
        (),
    ),
    **dict.fromkeys(("haswell", "zen"), AVX2),
    **dict.fromkeys(("skylakex", "cooperlake", "sapphirerapids"), AVX512),
}

#: The kernel to ask OpenBLAS for, by what the CPU has, best first, and what the flags are called.
WANTED = ((AVX512, "SkylakeX", "AVX-512"), (AVX2, "Haswell", "AVX2"))

#: The variable that each library reads first for its number of threads.
THREADS = {
    "openblas": "OPENBLAS_NUM_THREADS",
    "mkl": "MKL_NUM_THREADS",
    "blis": "BLIS_NUM_THREADS",
    "accelerate": "VECLIB_MAXIMUM_THREADS",
}

FASTER = 1.1  # a measured ratio that is more than noise
SCALES = 1.2  # what a second thread gives at least, where it has a core
STEADY = 512  # products of this order take long enough to compare threads
SPIN = 14  # 2**14 cycles, some microseconds, where 2**26 or 2**28 is the default


@dataclass(frozen=True)
class Setting:
    name: str
    value: str
    why: str

    def line(self) -> str:
        return f"export {self.name}={self.value}  # {self.why}"


@dataclass(frozen=True)
class Finding:
    """What was found about ``subject``; its setting is good always, or ``when`` that is so."""

    subject: str
    said: str
    setting: Setting | None = None
    when: str = ""


@dataclass(frozen=True)
class Kernel:
    """A kernel that suits the CPU better than the one that runs."""

    variable: str
    value: str
    vectors: str


def better_kernel(machine: Machine) -> Kernel | None:
    """What to ask OpenBLAS for, where its kernel leaves out vectors that the CPU has."""
    used = KERNELS.get((machine.blas.kernel or "").lower())
    if machine.blas.family != "openblas" or used is None:
        return None
    for needed, value, vectors in WANTED:
        if set(needed) <= set(machine.flags):
            if set(needed) <= set(used):
                return None
            return Kernel("OPENBLAS_CORETYPE", value, vectors)
    return None


def findings(
    machine: Machine, rates: Rates | None = None, trial: Trial | None = None
) -> list[Finding]:
    """All that is to be said, the kernel first; nothing where all is well."""
    return [
        *_packages(machine),
        *_kernel(machine, rates or Rates(), trial),
        *_threads(machine, rates or Rates()),
        *_waiting(machine),
    ]


def _packages(machine: Machine) -> Iterator[Finding]:
    for name in machine.missing:
        yield Finding(
            name,
            f"{name} is not installed: the BLAS kernel and its threads are unknown, and rates are "
            f"measured with the threads as they are; `pip install {name}`",
        )


def _kernel(machine: Machine, rates: Rates, trial: Trial | None) -> Iterator[Finding]:
    better = better_kernel(machine)
    if better is None:
        return
    now = machine.settings.get(better.variable)
    said = f"the CPU has {better.vectors}, which the BLAS kernel {machine.blas.kernel} leaves out"
    said += f" ({better.variable}={now} is set)" if now else ""
    asked = f"{better.variable}={better.value}"
    if trial is None:
        setting = Setting(better.variable, better.value, f"a kernel for {better.vectors}")
        # On CPUs that halve vectors of 512 bits (Zen 4) it gains nothing.
        yield Finding(
            "kernel", said, setting, "that is faster here (not measured: give it more --seconds)"
        )
        return
    ratios = trial.ratios(rates)
    told = ", ".join(f"{ratio:.2f} in {dtype}" for dtype, ratio in ratios.items())
    told = f"{told} times the rate of {machine.blas.kernel}, one thread"
    if trial.kernel is None or not ratios:
        yield Finding("kernel", f"{said}; a process with {asked} failed")
    elif trial.kernel == machine.blas.kernel:
        yield Finding("kernel", f"{said}; {asked} changes nothing: this library has no such kernel")
    elif geometric_mean(ratios.values()) < FASTER:
        yield Finding("kernel", f"{said}; {asked} is no faster: {told}")
    else:
        yield Finding("kernel", said, Setting(better.variable, better.value, told))


def _own_variable(machine: Machine) -> str:
    if machine.blas.layer == "openmp" and machine.blas.family == "openblas":
        return "OMP_NUM_THREADS"
    return THREADS.get(machine.blas.family, "OMP_NUM_THREADS")


def _asked(machine: Machine) -> str | None:
    """The setting of the number of threads that the library obeys, NAME=value, if there is one."""
    for name in (_own_variable(machine), "OMP_NUM_THREADS"):
        if name in machine.settings:
            return f"{name}={machine.settings[name]}"
    return None


def _count(machine: Machine) -> int | None:
    """The threads that run; without threadpoolctl what was asked for, by default one a CPU."""
    if machine.blas.threads is not None:
        return machine.blas.threads
    if machine.blas.family not in ("openblas", "mkl"):
        return None
    value = (_asked(machine) or "").partition("=")[2]
    return int(value) if value.isdecimal() else machine.usable


def _threads(machine: Machine, rates: Rates) -> Iterator[Finding]:
    count, variable = _count(machine), _own_variable(machine)
    if count is None:
        return
    amiss = (
        _too_many(machine, count, variable)
        or _measured_gain(machine, rates, variable)
        or _too_few(machine, count, variable)
    )
    if amiss is not None:
        yield amiss
    one = amiss is not None and amiss.setting is not None and amiss.setting.value == "1"
    if count > 1 and _asked(machine) is None and not one:
        yield Finding(
            "processes",
            f"each process takes {_plural(count, 'thread')} of BLAS",
            Setting(variable, "1", f"otherwise each of them takes {count}"),
            "as many processes as cores run at once (pytest -n, joblib)",
        )


def _too_many(machine: Machine, count: int, variable: str) -> Finding | None:
    """More threads than CPUs that may run them, or than cores that can."""
    said = f"{_plural(count, 'thread')} of BLAS on "
    fitting = min(machine.room, machine.cores)
    if count > machine.room:
        said += f"{_plural(machine.room, 'CPU')}{_why_so_few(machine)}"
        why = f"as many as can run at once; {count} wait for each other"
    elif count > fitting:
        said += _plural(machine.cores, "physical core")
        why = "one a core: two threads of products on a core share its multipliers"
    else:
        return None
    return Finding("threads", said, Setting(variable, str(fitting), why))


def _too_few(machine: Machine, count: int, variable: str) -> Finding | None:
    """Fewer threads than cores: as they were told, or as the library was built."""
    fitting = min(machine.room, machine.cores)
    if count >= fitting:
        return None
    asked = _asked(machine)
    said = f"{_plural(count, 'thread')} of BLAS on {_plural(fitting, 'core')}"
    if asked is None:
        return Finding("threads", f"{said}, the most that this library was built for")
    setting = Setting(variable, str(fitting), "one a core")
    when = "one process has the machine to itself"
    return Finding("threads", f"{said}, as {asked} says", setting, when)


def _measured_gain(machine: Machine, rates: Rates, variable: str) -> Finding | None:
    """Threads that give next to nothing: their cores are taken, or are not there."""
    one, many = rates.gflops("float32", one=True), rates.gflops("float32", one=False)
    if one is None or many is None or many.size < STEADY or many.gflops >= SCALES * one.gflops:
        return None
    ratio = f"{many.gflops / one.gflops:.2f} times the rate of one"
    said = f"{many.threads} threads of BLAS reach {ratio}"
    busy = machine.load is not None and machine.load > machine.room / 2
    if busy:
        said += f"; other processes run (load {machine.load:.1f} on {_plural(machine.room, 'CPU')})"
    setting = Setting(variable, "1", f"{many.threads} threads measured {ratio}")
    return Finding("threads", said, setting, "those go on" if busy else "")


def _why_so_few(machine: Machine) -> str:
    if machine.quota is not None and machine.room < machine.usable:
        return f" (a quota of {machine.quota:g} on {_plural(machine.usable, 'CPU')})"
    if machine.usable < machine.cpus:
        return f" (this process may use {machine.usable} of {machine.cpus})"
    return ""


def _waiting(machine: Machine) -> Iterator[Finding]:
    """OpenBLAS's own threads spin when they wait; OpenMP's have other rules."""
    count, name = _count(machine), "OPENBLAS_THREAD_TIMEOUT"
    if machine.blas.family != "openblas" or machine.blas.layer not in (None, "pthreads"):
        return
    value = machine.settings.get(name)
    if value is not None:
        if not (value.isdecimal() and 4 <= int(value) <= 30):
            said = f"{name}={value} is no exponent of 4 to 30: 2**{name} cycles are waited"
            yield Finding("waiting", said, Setting(name, str(SPIN), "some microseconds"))
        return
    if count is not None and count > 1:
        yield Finding(
            "waiting",
            "threads of OpenBLAS keep their cores for up to 0.1 s after each product",
            Setting(name, str(SPIN), f"2**{SPIN} cycles, then they sleep"),
            "other work (numba, workers, a container's quota) wants the cores between products",
        )


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"

"""The forecast of a command: what it does, how long it takes, and how much room it needs."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Row:
    """One kind of work.

    Args:
        what: kind of the work.
        number: number of models that are trained, or that score.
        reused: number of those that are finished already.
        examples: number of examples through models, in training and in passes.
        flops: operations of these, `None` if they cannot be counted.
        seconds: wall-clock time of all.
        is_estimate: whether the examples are an estimate too.
    """

    what: str
    number: int
    reused: int = 0
    examples: int = 0
    flops: float | None = 0
    seconds: float = 0.0
    is_estimate: bool = False


@dataclass(frozen=True)
class Memory:
    """The memory of processes that work at the same time, in bytes.

    Args:
        extra: peak of one of them, beyond the memory that it shares with others.
        jobs: number of processes at the same time.
        jobs_key: key of the config that sets this number, `None` if it cannot be lowered.
        batch_key: key of the config that sets the examples of a batch.
    """

    extra: int
    jobs: int
    jobs_key: str | None
    batch_key: str

    @property
    def together(self):
        """Bytes of all processes, beyond those of the processes that start them."""
        return self.extra * self.jobs


@dataclass(frozen=True)
class Disk:
    """Room on disks, in bytes.

    Args:
        kept: size of the results.
        models: part of it for trained models.
        unfinished: size of the files in the output from which a killed command goes on.
        temporary: size of temporary files elsewhere.
    """

    kept: int = 0
    models: int = 0
    unfinished: int = 0
    temporary: int = 0

    def __add__(self, other):
        """Returns the room of two pieces of work in turn."""
        return Disk(
            self.kept + other.kept,
            self.models + other.models,
            max(self.unfinished, other.unfinished),
            max(self.temporary, other.temporary),
        )


@dataclass
class Forecast:
    """Everything that a command will do.

    Args:
        reads: sentences on the data.
        notes: sentences on what the forecast does not know.
        rows: list of `Row`.
        memories: list of `Memory`, of work in turn.
        disk: `Disk`.
        server: bytes of the process that starts the others.
        server_seconds: seconds from its start to that of the first other process.
        base: bytes of the command itself and of that process.
        other_seconds: other seconds beside the rows: starting, reading the data, reporting.
        measured: seconds that the measurement took.
    """

    reads: list = field(default_factory=list)
    notes: list = field(default_factory=list)
    rows: list = field(default_factory=list)
    memories: list = field(default_factory=list)
    disk: Disk = Disk()
    server: int = 0
    server_seconds: float = 0.0
    base: int = 0
    other_seconds: float = 0.0
    measured: float = 0.0

    @property
    def beside(self):
        """Seconds beside the rows."""
        return self.server_seconds + self.other_seconds

    @property
    def seconds(self):
        """Wall-clock time of the command."""
        return self.beside + sum(row.seconds for row in self.rows)

    @property
    def largest(self):
        """`Memory` of the work that needs most, `None` if there is no work."""
        return max(self.memories, key=lambda memory: memory.together, default=None)

    def add(self, other):
        """Adds the work of another forecast, which comes after this one."""
        self.notes += [note for note in other.notes if note not in self.notes]
        self.rows += other.rows
        self.memories += other.memories
        self.disk += other.disk
        self.server = max(self.server, other.server)
        # Processes that were measured later have not waited for the server alone
        starts = filter(None, (self.server_seconds, other.server_seconds))
        self.server_seconds = min(starts, default=0.0)
        self.other_seconds += other.other_seconds
        self.measured += other.measured


def rows_of_finished(counts):
    """Returns a `Row` for each kind of run, if all runs are finished.

    Args:
        counts: list of `keras_pruning.preflight.runs.PlannedRun`.
    """
    kinds = [run.what for run in counts]
    return [Row(what, 0, kinds.count(what)) for what in dict.fromkeys(kinds)]


def merged(rows):
    """Returns one `Row` for each kind of work, whatever its data fraction."""
    whole = {}
    for row in rows:
        other = whole.get(row.what, Row(row.what, 0))
        flops = None if None in (row.flops, other.flops) else row.flops + other.flops
        whole[row.what] = Row(
            row.what,
            row.number + other.number,
            row.reused + other.reused,
            row.examples + other.examples,
            flops,
            row.seconds + other.seconds,
            row.is_estimate or other.is_estimate,
        )
    return list(whole.values())

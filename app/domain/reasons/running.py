"""What may be the matter with the running service itself, as monitoring is told."""

from app.domain.reasons.codes import Code
from app.domain.reasons.rows import Mender, Row, Text

ROWS = (
    Row(
        code=Code.NOT_READY,
        mender=Mender.OPERATOR,
        sentence=Text("The process answers, but cannot do its work."),
        fix=Text("An operator does what the text says; `recman-unimicro doctor` looks at the same and more."),
    ),
    Row(
        code=Code.WORKER_MISSING,
        mender=Mender.OPERATOR,
        sentence=Text("Nobody takes up what has come in."),
        fix=Text(
            "An operator starts a worker (`recman-unimicro worker`, or `up`), or reads in its log why it ended; what "
            "comes in is kept meanwhile."
        ),
    ),
    Row(
        code=Code.CLOCK_STOPPED,
        mender=Mender.OPERATOR,
        sentence=Text("Nobody begins what is due by the clock."),
        fix=Text(
            "An operator looks whether a worker runs and reads its log: sweeps and the looks at drafts and orders "
            "begin there."
        ),
    ),
    Row(
        code=Code.LANE_LATE,
        mender=Mender.OPERATOR,
        sentence=Text("A record that is due is not taken up."),
        fix=Text(
            "An operator starts more workers, or raises RMU_WORKER_CONCURRENCY; where they are not busy, their logs "
            "say what keeps them."
        ),
    ),
    Row(
        code=Code.SWEEP_LATE,
        mender=Mender.ADMINISTRATOR,
        sentence=Text("RecMan was not read whole for a long time."),
        fix=Text("See what the last sweep says (GET /v1/recman/sweeps), mend it, then POST /v1/recman/sweep."),
    ),
    Row(
        code=Code.CHANGES_HELD,
        mender=Mender.ADMINISTRATOR,
        sentence=Text("A sweep found so many changes that a person must look first."),
        fix=Text("Look at them (GET /v1/recman), then pass them on or discard them: POST /v1/recman/changes."),
    ),
)

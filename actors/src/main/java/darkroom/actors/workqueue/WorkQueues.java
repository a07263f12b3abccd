package darkroom.actors.workqueue;

import darkroom.actors.device.RolloutResult;
import darkroom.actors.device.RolloutUnit;
import darkroom.actors.device.ScoreOutcome;
import darkroom.actors.device.ScoreUnit;
import darkroom.actors.device.TrainUnit;
import darkroom.actors.device.Trained;
import org.apache.pekko.actor.typed.ActorRef;

/** The work queues of a run: one for each kind of unit. */
public record WorkQueues(
        ActorRef<WorkQueue.Command<RolloutUnit, RolloutResult>> rollout,
        ActorRef<WorkQueue.Command<ScoreUnit, ScoreOutcome>> score,
        ActorRef<WorkQueue.Command<TrainUnit, Trained>> train) {}

package darkroom.actors;

import org.apache.pekko.actor.typed.ActorRef;

/** Where work is asked for: one desk for each kind. */
public record Desks(
        ActorRef<WorkDesk.Command<DrawUnit, Drawn>> draw,
        ActorRef<WorkDesk.Command<ScoreUnit, ScoreOutcome>> score,
        ActorRef<WorkDesk.Command<TrainUnit, Trained>> train) {}

package darkroom.actors;

import java.util.ArrayList;
import java.util.List;
import org.apache.pekko.actor.typed.ActorRef;

/** The devices of one node, by what they do. */
public record Crew(
        List<DeviceSeat<DrawUnit, Drawn>> rollout,
        List<DeviceSeat<ScoreUnit, ScoreOutcome>> reward,
        List<DeviceSeat<TrainUnit, Trained>> trainer) {
    public Crew {
        rollout = List.copyOf(rollout);
        reward = List.copyOf(reward);
        trainer = List.copyOf(trainer);
    }

    List<NodeWarden.Post<?, ?>> posts(Desks desks) {
        return posts(desks.draw(), desks.score(), desks.train());
    }

    /** @param draw who hears what the workers of {@code rollout} say; and so on */
    List<NodeWarden.Post<?, ?>> posts(
            ActorRef<? super WorkDesk.Word<DrawUnit, Drawn>> draw,
            ActorRef<? super WorkDesk.Word<ScoreUnit, ScoreOutcome>> score,
            ActorRef<? super WorkDesk.Word<TrainUnit, Trained>> train) {
        List<NodeWarden.Post<?, ?>> posts = new ArrayList<>();
        rollout.forEach(seat -> posts.add(new NodeWarden.Post<>(seat.name(), seat.device(), draw)));
        reward.forEach(seat -> posts.add(new NodeWarden.Post<>(seat.name(), seat.device(), score)));
        trainer.forEach(seat -> posts.add(new NodeWarden.Post<>(seat.name(), seat.device(), train)));
        return posts;
    }

    /** The same seats under names that are unique within the cluster. */
    Crew named(String node) {
        return new Crew(named(node, rollout), named(node, reward), named(node, trainer));
    }

    private static <U extends Unit, R extends Result> List<DeviceSeat<U, R>> named(
            String node, List<DeviceSeat<U, R>> seats) {
        return seats.stream()
                .map(seat -> new DeviceSeat<U, R>(node + "/" + seat.name(), seat.device()))
                .toList();
    }
}

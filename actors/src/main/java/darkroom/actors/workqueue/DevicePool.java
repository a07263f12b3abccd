package darkroom.actors.workqueue;

import darkroom.actors.device.Result;
import darkroom.actors.device.RolloutResult;
import darkroom.actors.device.RolloutUnit;
import darkroom.actors.device.ScoreOutcome;
import darkroom.actors.device.ScoreUnit;
import darkroom.actors.device.TrainUnit;
import darkroom.actors.device.Trained;
import darkroom.actors.device.Unit;
import java.util.ArrayList;
import java.util.List;
import org.apache.pekko.actor.typed.ActorRef;

/** The devices of one node, by role. */
public record DevicePool(
        List<DeviceSlot<RolloutUnit, RolloutResult>> rollout,
        List<DeviceSlot<ScoreUnit, ScoreOutcome>> reward,
        List<DeviceSlot<TrainUnit, Trained>> trainer) {
    public DevicePool {
        rollout = List.copyOf(rollout);
        reward = List.copyOf(reward);
        trainer = List.copyOf(trainer);
    }

    public List<WorkerSupervisor.Post<?, ?>> posts(WorkQueues queues) {
        return posts(queues.rollout(), queues.score(), queues.train());
    }

    /**
     * Returns the posts of all device slots.
     *
     * @param generate receives the reports of the {@code rollout} workers; likewise the others
     */
    List<WorkerSupervisor.Post<?, ?>> posts(
            ActorRef<? super WorkQueue.WorkerReport<RolloutUnit, RolloutResult>> generate,
            ActorRef<? super WorkQueue.WorkerReport<ScoreUnit, ScoreOutcome>> score,
            ActorRef<? super WorkQueue.WorkerReport<TrainUnit, Trained>> train) {
        List<WorkerSupervisor.Post<?, ?>> posts = new ArrayList<>();
        rollout.forEach(
                deviceSlot -> posts.add(new WorkerSupervisor.Post<>(deviceSlot.name(), deviceSlot.device(), generate)));
        reward.forEach(
                deviceSlot -> posts.add(new WorkerSupervisor.Post<>(deviceSlot.name(), deviceSlot.device(), score)));
        trainer.forEach(
                deviceSlot -> posts.add(new WorkerSupervisor.Post<>(deviceSlot.name(), deviceSlot.device(), train)));
        return posts;
    }

    /** Returns the same device slots under names that are unique within the cluster. */
    public DevicePool named(String node) {
        return new DevicePool(named(node, rollout), named(node, reward), named(node, trainer));
    }

    private static <U extends Unit, R extends Result> List<DeviceSlot<U, R>> named(
            String node, List<DeviceSlot<U, R>> deviceSlots) {
        return deviceSlots.stream()
                .map(deviceSlot -> new DeviceSlot<U, R>(node + "/" + deviceSlot.name(), deviceSlot.device()))
                .toList();
    }
}

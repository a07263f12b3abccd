package darkroom.runtime.run;

import darkroom.actors.device.Device;
import darkroom.actors.device.FetchingDevice;
import darkroom.actors.device.Result;
import darkroom.actors.device.RolloutResult;
import darkroom.actors.device.RolloutUnit;
import darkroom.actors.device.ScoreOutcome;
import darkroom.actors.device.ScoreUnit;
import darkroom.actors.device.SimulatedDevices;
import darkroom.actors.device.TrainUnit;
import darkroom.actors.device.Trained;
import darkroom.actors.device.Unit;
import darkroom.actors.run.OrphanCollector;
import darkroom.actors.workqueue.DevicePool;
import darkroom.actors.workqueue.DeviceSlot;
import darkroom.config.RunSettings;
import darkroom.config.WorkerSettings;
import darkroom.gpuworkers.TorchRolloutDevice;
import darkroom.gpuworkers.TorchTrainerDevice;
import darkroom.gpuworkers.models.PolicyModel;
import darkroom.tensors.TensorPlane;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Creates the devices of one process. Each device fetches the tensors that it reads first. */
public final class DevicePools {
    public static final int VIRTUAL_PARAMETERS = 32;
    private static final int VIRTUAL_SCORES_MAX = 4096;
    private static final ScheduledExecutorService VIRTUAL_CLOCK = Executors.newScheduledThreadPool(
            2, Thread.ofPlatform().daemon().name("virtual-devices").factory());
    private static final Executor VIRTUAL_WORK = Executors.newSingleThreadExecutor(
            Thread.ofPlatform().daemon().name("virtual-work").factory());

    private DevicePools() {}

    /**
     * Creates devices that compute.
     *
     * @param policy the model of rollout and trainer devices
     * @param scorers the reward device slots; stay open as long as the device pool works
     */
    public static DevicePool of(
            RunSettings settings,
            PolicyModel policy,
            int rolloutDevices,
            int trainerDevices,
            List<DeviceSlot<ScoreUnit, ScoreOutcome>> scorers,
            TensorPlane plane) {
        List<DeviceSlot<RolloutUnit, RolloutResult>> rollout = new ArrayList<>();
        for (int i = 0; i < rolloutDevices; i++) {
            String name = "rollout-" + i;
            rollout.add(deviceSlot(
                    name, plane, () -> new TorchRolloutDevice(name, policy, settings.rollout(), plane.store())));
        }
        List<DeviceSlot<TrainUnit, Trained>> trainer = new ArrayList<>();
        for (int i = 0; i < trainerDevices; i++) {
            String name = "trainer-" + i;
            trainer.add(deviceSlot(
                    name,
                    plane,
                    () -> new TorchTrainerDevice(
                            name, policy, settings.training(), settings.groups().advantageClip(), plane.store())));
        }
        List<DeviceSlot<ScoreUnit, ScoreOutcome>> reward = scorers.stream()
                .map(deviceSlot ->
                        DevicePools.<ScoreUnit, ScoreOutcome>deviceSlot(deviceSlot.name(), plane, deviceSlot.device()))
                .toList();
        return new DevicePool(rollout, reward, trainer);
    }

    /** Creates devices that take the times in the settings and compute nothing; no model is needed. */
    public static DevicePool virtual(
            WorkerSettings.VirtualSettings times,
            int rolloutDevices,
            int trainerDevices,
            int scorers,
            TensorPlane plane) {
        SimulatedDevices simulated = new SimulatedDevices(plane.store(), VIRTUAL_PARAMETERS, VIRTUAL_WORK);
        List<DeviceSlot<RolloutUnit, RolloutResult>> rollout = new ArrayList<>();
        for (int i = 0; i < rolloutDevices; i++) {
            rollout.add(
                    deviceSlot("rollout-" + i, plane, () -> new Lasting<>(simulated.rollout(), _ -> times.rollout())));
        }
        List<DeviceSlot<TrainUnit, Trained>> trainer = new ArrayList<>();
        for (int i = 0; i < trainerDevices; i++) {
            trainer.add(deviceSlot(
                    "trainer-" + i, plane, () -> new Lasting<>(simulated.trainer(), unit -> lasts(unit, times))));
        }
        List<DeviceSlot<ScoreUnit, ScoreOutcome>> reward = new ArrayList<>();
        for (int i = 0; i < scorers; i++) {
            reward.add(deviceSlot(
                    "reward-" + i,
                    plane,
                    () -> new Wide<>(new Lasting<>(simulated.reward(0), _ -> times.score()), VIRTUAL_SCORES_MAX)));
        }
        return new DevicePool(rollout, reward, trainer);
    }

    /** Returns the time of a unit: each gradient unit of a block takes its time, an update takes none. */
    private static Duration lasts(TrainUnit unit, WorkerSettings.VirtualSettings times) {
        return switch (unit) {
            case TrainUnit.GradientBlock block ->
                times.unit().multipliedBy(block.units().size());
            case TrainUnit.UpdateUnit _ -> Duration.ZERO;
        };
    }

    /** A device that computes a unit and answers when the time of the unit is over. */
    private record Lasting<U extends Unit, R extends Result>(Device<U, R> device, Function<U, Duration> time)
            implements Device<U, R> {
        @Override
        public CompletionStage<R> perform(U unit) {
            CompletableFuture<@Nullable Void> over = new CompletableFuture<>();
            var _ = VIRTUAL_CLOCK.schedule(
                    () -> over.complete(null), time.apply(unit).toNanos(), TimeUnit.NANOSECONDS);
            return device.perform(unit).thenCombine(over, (result, _) -> result);
        }

        @Override
        public void close() {
            device.close();
        }
    }

    /** A device that accepts many units at a time. */
    private record Wide<U extends Unit, R extends Result>(Device<U, R> device, int capacity) implements Device<U, R> {
        @Override
        public CompletionStage<R> perform(U unit) {
            return device.perform(unit);
        }

        @Override
        public void close() {
            device.close();
        }
    }

    /** Returns the same device pool, with {@code sweep} tracking its results. */
    public static DevicePool swept(DevicePool devicePool, OrphanCollector sweep) {
        return new DevicePool(
                swept(devicePool.rollout(), sweep),
                swept(devicePool.reward(), sweep),
                swept(devicePool.trainer(), sweep));
    }

    private static <U extends Unit, R extends Result> List<DeviceSlot<U, R>> swept(
            List<DeviceSlot<U, R>> deviceSlots, OrphanCollector sweep) {
        return deviceSlots.stream()
                .map(deviceSlot -> new DeviceSlot<U, R>(
                        deviceSlot.name(), () -> sweep.over(deviceSlot.device().get())))
                .toList();
    }

    private static <U extends Unit, R extends Result> DeviceSlot<U, R> deviceSlot(
            String name, TensorPlane plane, Supplier<? extends Device<U, R>> device) {
        return new DeviceSlot<>(name, () -> new FetchingDevice<>(plane, device.get()));
    }
}

package darkroom.runtime;

import darkroom.actors.Crew;
import darkroom.actors.Device;
import darkroom.actors.DeviceSeat;
import darkroom.actors.DrawUnit;
import darkroom.actors.Drawn;
import darkroom.actors.FetchingDevice;
import darkroom.actors.Result;
import darkroom.actors.ResultSweep;
import darkroom.actors.ScoreOutcome;
import darkroom.actors.ScoreUnit;
import darkroom.actors.SimulatedDevices;
import darkroom.actors.TensorPlane;
import darkroom.actors.TrainUnit;
import darkroom.actors.Trained;
import darkroom.actors.Unit;
import darkroom.config.RunSettings;
import darkroom.config.WorkerSettings;
import darkroom.gpuworkers.EmbeddedPolicy;
import darkroom.gpuworkers.TorchRolloutDevice;
import darkroom.gpuworkers.TorchTrainerDevice;
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

/** The devices of one process. Each has what it reads brought first. */
final class Crews {
    static final int VIRTUAL_PARAMETERS = 32;
    private static final int VIRTUAL_SCORES_MAX = 4096;
    private static final ScheduledExecutorService VIRTUAL_CLOCK = Executors.newScheduledThreadPool(
            2, Thread.ofPlatform().daemon().name("virtual-devices").factory());
    private static final Executor VIRTUAL_WORK = Executors.newSingleThreadExecutor(
            Thread.ofPlatform().daemon().name("virtual-work").factory());

    private Crews() {}

    /**
     * @param policy what rollout and trainer devices compute
     * @param scorers one reward seat an endpoint; stay open as long as the crew works
     */
    static Crew of(
            RunSettings settings,
            EmbeddedPolicy policy,
            int rolloutDevices,
            int trainerDevices,
            List<DeviceSeat<ScoreUnit, ScoreOutcome>> scorers,
            TensorPlane plane) {
        List<DeviceSeat<DrawUnit, Drawn>> rollout = new ArrayList<>();
        for (int i = 0; i < rolloutDevices; i++) {
            String name = "rollout-" + i;
            rollout.add(seat(name, plane, () -> new TorchRolloutDevice(name, policy, plane.store())));
        }
        List<DeviceSeat<TrainUnit, Trained>> trainer = new ArrayList<>();
        for (int i = 0; i < trainerDevices; i++) {
            String name = "trainer-" + i;
            trainer.add(seat(
                    name,
                    plane,
                    () -> new TorchTrainerDevice(name, policy, settings.groups().advantageClip(), plane.store())));
        }
        List<DeviceSeat<ScoreUnit, ScoreOutcome>> reward = scorers.stream()
                .map(seat -> Crews.<ScoreUnit, ScoreOutcome>seat(seat.name(), plane, seat.device()))
                .toList();
        return new Crew(rollout, reward, trainer);
    }

    /** Devices that take the times of the settings and compute nothing; no model is needed. */
    static Crew virtual(
            WorkerSettings.VirtualSettings times,
            int rolloutDevices,
            int trainerDevices,
            int scorers,
            TensorPlane plane) {
        SimulatedDevices simulated = new SimulatedDevices(plane.store(), VIRTUAL_PARAMETERS, VIRTUAL_WORK);
        List<DeviceSeat<DrawUnit, Drawn>> rollout = new ArrayList<>();
        for (int i = 0; i < rolloutDevices; i++) {
            rollout.add(seat("rollout-" + i, plane, () -> new Lasting<>(simulated.rollout(), _ -> times.draw())));
        }
        List<DeviceSeat<TrainUnit, Trained>> trainer = new ArrayList<>();
        for (int i = 0; i < trainerDevices; i++) {
            trainer.add(
                    seat("trainer-" + i, plane, () -> new Lasting<>(simulated.trainer(), unit -> lasts(unit, times))));
        }
        List<DeviceSeat<ScoreUnit, ScoreOutcome>> reward = new ArrayList<>();
        for (int i = 0; i < scorers; i++) {
            reward.add(seat(
                    "reward-" + i,
                    plane,
                    () -> new Wide<>(new Lasting<>(simulated.reward(0), _ -> times.score()), VIRTUAL_SCORES_MAX)));
        }
        return new Crew(rollout, reward, trainer);
    }

    /** Each gradient unit of a block takes its time, an update none. */
    private static Duration lasts(TrainUnit unit, WorkerSettings.VirtualSettings times) {
        return switch (unit) {
            case TrainUnit.GradientBlock block ->
                times.unit().multipliedBy(block.units().size());
            case TrainUnit.UpdateUnit _ -> Duration.ZERO;
        };
    }

    /** A device that answers when the time is over that its unit lasts, and computes meanwhile. */
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

    /** A device that takes many units at a time. */
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

    /** The same crew, its results remembered by {@code sweep}. */
    static Crew swept(Crew crew, ResultSweep sweep) {
        return new Crew(swept(crew.rollout(), sweep), swept(crew.reward(), sweep), swept(crew.trainer(), sweep));
    }

    private static <U extends Unit, R extends Result> List<DeviceSeat<U, R>> swept(
            List<DeviceSeat<U, R>> seats, ResultSweep sweep) {
        return seats.stream()
                .map(seat -> new DeviceSeat<U, R>(
                        seat.name(), () -> sweep.over(seat.device().get())))
                .toList();
    }

    private static <U extends Unit, R extends Result> DeviceSeat<U, R> seat(
            String name, TensorPlane plane, Supplier<? extends Device<U, R>> device) {
        return new DeviceSeat<>(name, () -> new FetchingDevice<>(plane, device.get()));
    }
}

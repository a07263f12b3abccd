package darkroom.runtime;

import darkroom.actors.Crew;
import darkroom.actors.DeviceSeat;
import darkroom.actors.Device;
import darkroom.actors.DrawUnit;
import darkroom.actors.Drawn;
import darkroom.actors.FetchingDevice;
import darkroom.actors.Result;
import darkroom.actors.ScoreOutcome;
import darkroom.actors.ScoreUnit;
import darkroom.actors.TensorPlane;
import darkroom.actors.TrainUnit;
import darkroom.actors.Trained;
import darkroom.actors.Unit;
import darkroom.config.RunSettings;
import darkroom.gpuworkers.EmbeddedPolicy;
import darkroom.gpuworkers.TorchRolloutDevice;
import darkroom.gpuworkers.TorchTrainerDevice;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/** The devices of one process. Each has what it reads brought first. */
final class Crews {
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
                    () -> new TorchTrainerDevice(
                            name, policy, settings.groups().advantageClip(), plane.store())));
        }
        List<DeviceSeat<ScoreUnit, ScoreOutcome>> reward = scorers.stream()
                .map(seat -> Crews.<ScoreUnit, ScoreOutcome>seat(seat.name(), plane, seat.device()))
                .toList();
        return new Crew(rollout, reward, trainer);
    }

    private static <U extends Unit, R extends Result> DeviceSeat<U, R> seat(
            String name, TensorPlane plane, Supplier<? extends Device<U, R>> device) {
        return new DeviceSeat<>(name, () -> new FetchingDevice<>(plane, device.get()));
    }
}

package darkroom.runtime.run;

import com.typesafe.config.Config;
import darkroom.actors.events.RunEvent;
import darkroom.actors.events.RunListener;
import darkroom.actors.run.RunGuardian;
import darkroom.config.RunSettings;
import darkroom.runtime.faults.NodeFaults;
import darkroom.tensors.LocalTensorPlane;
import darkroom.tensors.OffHeapTensorStore;
import darkroom.tensors.TensorPlane;
import java.nio.file.Path;
import org.apache.pekko.actor.typed.ActorSystem;

/** Environment of a run: one process by itself, or the control node of a cluster. */
public interface RunEnvironment extends RunListener, AutoCloseable {
    /** Returns where tensors are kept and come from. */
    TensorPlane plane();

    /** Returns the configuration of the run's actor system. */
    Config pekko();

    /** Returns the number of rollout devices in this process. */
    int rolloutDevices();

    /** Returns the number of trainer devices in this process. */
    int trainerDevices();

    /** Whether this process itself asks scorers. */
    boolean scores();

    /** Returns the faults that may be injected into this process. */
    default NodeFaults faults() {
        return NodeFaults.NONE;
    }

    /** Receives the directory of the run; called before {@link #open}. */
    default void directory(Path run) {}

    /** Whether another process has taken over the run; this process then no longer touches it. */
    default boolean isFollowed() {
        return false;
    }

    /**
     * Receives how the run has ended here, and returns whether another process continues it. Called before
     * {@link #dismiss}.
     */
    default boolean ended(RunEvent.End end) {
        return false;
    }

    /** Called when the guardian is running; other nodes may be admitted. */
    void open(ActorSystem<RunGuardian.Command> guardian);

    /** Receives what the run is doing now, for status requests to this process. */
    default void stage(String stage, int step) {}

    /** Called when the process was asked to end and finishes its work; {@code darkroom status} shows that. */
    default void ending() {}

    /** Called when the run has no more work, before the guardian ends; admitted nodes may leave. */
    void dismiss();

    @Override
    void close();

    /** Opens the environment of a run. */
    @FunctionalInterface
    interface Opener {
        RunEnvironment open(RunSettings settings);
    }

    /** One process with all devices, one store and no port. */
    record Alone(RunSettings settings, OffHeapTensorStore store) implements RunEnvironment {
        public static Alone with(RunSettings settings) {
            return new Alone(
                    settings, new OffHeapTensorStore("local", settings.limits().tensorBytesMax()));
        }

        @Override
        public TensorPlane plane() {
            return new LocalTensorPlane(store);
        }

        @Override
        public Config pekko() {
            return PekkoConfig.alone();
        }

        @Override
        public int rolloutDevices() {
            return settings.workers().rolloutDevices();
        }

        @Override
        public int trainerDevices() {
            return settings.workers().trainerDevices();
        }

        @Override
        public boolean scores() {
            return true;
        }

        @Override
        public void open(ActorSystem<RunGuardian.Command> guardian) {}

        @Override
        public void dismiss() {}

        @Override
        public void heard(RunEvent event) {}

        @Override
        public void close() {
            store.close();
        }
    }
}

package darkroom.runtime;

import com.typesafe.config.Config;
import darkroom.actors.LocalTensorPlane;
import darkroom.actors.OffHeapTensorStore;
import darkroom.actors.RunEvent;
import darkroom.actors.RunListener;
import darkroom.actors.Studio;
import darkroom.actors.TensorPlane;
import darkroom.config.RunSettings;
import java.nio.file.Path;
import org.apache.pekko.actor.typed.ActorSystem;

/** What a run stands on: one process by itself, or the control node of a cluster. */
interface Ground extends RunListener, AutoCloseable {
    /** Where tensors are kept and come from. */
    TensorPlane plane();

    /** How the actor system of the run is started. */
    Config pekko();

    /** Devices of this very process that draw. */
    int rolloutDevices();

    /** Devices of this very process that train. */
    int trainerDevices();

    /** Whether this very process asks scorers. */
    boolean scores();

    /** What may be made to happen to this process. */
    default NodeFaults faults() {
        return NodeFaults.NONE;
    }

    /** Where the run is; told before {@link #open}. */
    default void directory(Path run) {}

    /** Whether another process goes on with the run: then nothing of it is touched any more. */
    default boolean isFollowed() {
        return false;
    }

    /** How the run has ended here. Told before {@link #dismiss}. Answers whether another process goes on with it. */
    default boolean ended(RunEvent.End end) {
        return false;
    }

    /** The studio is there; others may be let in. */
    void open(ActorSystem<Studio.Command> studio);

    /** What the run is doing now, for whoever asks this process. */
    default void stage(String stage, int step) {}

    /** The process was asked to end, and finishes what is in work: {@code darkroom status} shows that. */
    default void ending() {}

    /** Nothing more will be done; whoever was let in may go. Called before the studio ends. */
    void dismiss();

    @Override
    void close();

    /** Opens the ground of a run. */
    @FunctionalInterface
    interface Opener {
        Ground open(RunSettings settings);
    }

    /** One process with all devices, one store, no port. */
    record Alone(RunSettings settings, OffHeapTensorStore store) implements Ground {
        static Alone with(RunSettings settings) {
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
        public void open(ActorSystem<Studio.Command> studio) {}

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

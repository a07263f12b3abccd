package darkroom.actors;

import java.io.IOException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * Where the media driver of a node has its buffers, by the room that there is: in shared memory, and where that is short, as in a
 * container that was given none, on a disk. A buffer takes all of its memory when it is made, so that it keeps working
 * when something else fills the place.
 *
 * @param parent directory in which the driver has its own
 * @param room bytes that may be used there
 * @param shortage what is short and what to do about it, for people; empty where nothing is
 */
record PlaneMemory(Path parent, long room, Optional<String> shortage) {
    /** Where processes of a machine share memory. */
    static final Path SHARED = Path.of("/dev/shm");

    /** A place with this much room is taken. */
    static final long ROOM_WANTED = 256L << 20;

    /** With less there is no driver. */
    static final long ROOM_MIN = 32L << 20;

    /** Tensors leave this much shared memory to drivers that have their buffers there. */
    static final long LEFT_BY_TENSORS = 128L << 20;

    static final String REMEDY =
            "Give it more: --shm-size=1g with Docker or Podman, an emptyDir of medium Memory mounted there in"
                    + " Kubernetes, elsewhere mount -o remount,size=1g /dev/shm";

    /** What a driver takes before there is any publication: counters, commands and errors. */
    private static final long DRIVER_BYTES = 10L << 20;

    /** Logs of the longest term for which there has to be room. */
    private static final int LOGS = 32;

    private static final int TERMS_OF_LOG = 3;
    private static final int TERM_BYTES_MIN = 1 << 16;
    private static final int TERM_BYTES_MAX = 1 << 30;

    /**
     * A directory in which a driver might have its own.
     *
     * @param room bytes that may be used; 0 with a problem
     * @param problem why it cannot be used at all; empty if it can
     */
    record Place(Path path, long room, String problem) {
        /** As it is now. */
        static Place look(Path path) {
            try {
                if (!Files.isDirectory(path)) {
                    return new Place(path, 0, "not there");
                }
                if (!Files.isWritable(path)) {
                    return new Place(path, 0, "not writable");
                }
                return new Place(path, Files.getFileStore(path).getUsableSpace(), "");
            } catch (IOException e) {
                return new Place(path, 0, e.toString());
            }
        }

        private String told() {
            return problem.isEmpty() ? "%s has %s free".formatted(path, mebibytes(room)) : path + " is " + problem;
        }
    }

    /** Of this process: shared memory, else the directory for temporary files. */
    static PlaneMemory ofThisProcess() {
        return chosen(List.of(Place.look(SHARED), Place.look(Path.of(System.getProperty("java.io.tmpdir")))));
    }

    /**
     * The first place with {@link #ROOM_WANTED}, or the one with most.
     *
     * @throws PlaneUnavailableException if none has {@link #ROOM_MIN}
     */
    static PlaneMemory chosen(List<Place> places) {
        Place first = places.getFirst();
        Place taken = places.stream()
                .filter(place -> place.room() >= ROOM_WANTED)
                .findFirst()
                .or(() -> places.stream().max(Comparator.comparingLong(Place::room)))
                .orElseThrow();
        if (taken.room() < ROOM_MIN) {
            throw new PlaneUnavailableException(
                    "there is no room for the buffers of messages between nodes, which need %s: %s. %s; or start Java with -Djava.io.tmpdir=DIR, a directory with room."
                            .formatted(
                                    mebibytes(ROOM_MIN),
                                    places.stream().map(Place::told).collect(Collectors.joining(", ")),
                                    REMEDY));
        }
        return new PlaneMemory(
                taken.path(),
                taken.room(),
                first.room() >= ROOM_WANTED
                        ? Optional.empty()
                        : Optional.of(
                                "%s, less than %s: the buffers of messages between nodes are in %s, and tensors that do not fit into shared memory go by messages, which takes longer. %s."
                                        .formatted(first.told(), mebibytes(ROOM_WANTED), taken.path(), REMEDY)));
    }

    /** The longest term for which there is room: a power of two. */
    static int termBytesMax(long room) {
        long each = Math.max(0, room - DRIVER_BYTES) / (TERMS_OF_LOG * LOGS);
        return Math.clamp(Long.highestOneBit(each), TERM_BYTES_MIN, TERM_BYTES_MAX);
    }

    /** How much of shared memory tensors leave free, for drivers that are there or may come. */
    static long leftByTensors(Path driver) {
        try {
            FileStore shared = Files.getFileStore(SHARED);
            return shared.getTotalSpace() >= ROOM_WANTED
                            || (Files.exists(driver) && shared.equals(Files.getFileStore(driver)))
                    ? LEFT_BY_TENSORS
                    : 0;
        } catch (IOException none) {
            return LEFT_BY_TENSORS;
        }
    }

    static String mebibytes(long bytes) {
        return bytes / (1 << 20) + " MiB";
    }
}

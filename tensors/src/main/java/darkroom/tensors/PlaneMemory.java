package darkroom.tensors;

import darkroom.config.ErrorReason;
import java.io.IOException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * Chooses the location of a media driver's buffers by available room: shared memory or, where that is short, as in a
 * container without any, a disk. A buffer takes all of its memory when it is created, so that it keeps working when
 * something else fills the location.
 *
 * @param parent directory in which the driver creates its own
 * @param room usable bytes there
 * @param shortage shortage and its remedy, for people; empty if there is no shortage
 */
record PlaneMemory(Path parent, long room, Optional<String> shortage) {
    /** The directory in which processes of a machine share memory. */
    static final Path SHARED = Path.of("/dev/shm");

    /** Room at which a place is accepted. */
    static final long ROOM_WANTED = 256L << 20;

    /** Minimum room for a driver. */
    static final long ROOM_MIN = 32L << 20;

    /** Shared memory that tensors leave free for drivers that have their buffers there. */
    static final long LEFT_BY_TENSORS = 128L << 20;

    static final String REMEDY =
            "Give it more: --shm-size=1g with Docker or Podman, an emptyDir of medium Memory mounted there in"
                    + " Kubernetes, elsewhere mount -o remount,size=1g /dev/shm";

    /** Memory of a driver without publications: counters, commands and errors. */
    private static final long DRIVER_BYTES = 10L << 20;

    /** Number of logs of the longest term that must fit. */
    private static final int LOGS = 32;

    private static final int TERMS_OF_LOG = 3;
    private static final int TERM_BYTES_MIN = 1 << 16;
    private static final int TERM_BYTES_MAX = 1 << 30;

    /**
     * A candidate directory for a driver.
     *
     * @param room usable bytes; 0 with a problem
     * @param problem reason why it cannot be used at all; empty if it can
     */
    record Place(Path path, long room, String problem) {
        /** Examines a directory. */
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
                return new Place(path, 0, "not usable: " + ErrorReason.of(e));
            }
        }

        private String told() {
            return problem.isEmpty() ? "%s has %s free".formatted(path, mebibytes(room)) : path + " is " + problem;
        }
    }

    /** Chooses for this process: shared memory, else the directory for temporary files. */
    static PlaneMemory ofThisProcess() {
        return chosen(List.of(Place.look(SHARED), Place.look(Path.of(System.getProperty("java.io.tmpdir")))));
    }

    /**
     * Chooses the first place with {@link #ROOM_WANTED}, or the one with most room.
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

    /** Returns the longest term for which there is room: a power of two. */
    static int termBytesMax(long room) {
        long each = Math.max(0, room - DRIVER_BYTES) / (TERMS_OF_LOG * LOGS);
        return Math.clamp(Long.highestOneBit(each), TERM_BYTES_MIN, TERM_BYTES_MAX);
    }

    /** Returns the amount of shared memory that tensors leave free for present and future drivers. */
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

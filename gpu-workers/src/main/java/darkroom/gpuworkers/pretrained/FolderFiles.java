package darkroom.gpuworkers.pretrained;

import darkroom.edittasks.pictures.FileFault;
import darkroom.gpuworkers.checkpoints.FileKind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** Why a file of a downloaded folder is not what its name says. */
public final class FolderFiles {
    private static final int LISTED_MAX = 3;

    private FolderFiles() {}

    /** Returns what is wrong with a file that must exist, with the file and what to do; empty if it can be read. */
    public static Optional<String> problem(Path file) {
        try {
            if (Files.isSymbolicLink(file) && !Files.exists(file)) {
                return Optional.of(
                        "%s is a symbolic link to %s, which does not exist; download the file again, or copy the folder with the files that its links lead to"
                                .formatted(file, Files.readSymbolicLink(file)));
            }
            if (!Files.exists(file)) {
                return Optional.of(file + " is missing; download it");
            }
            if (Files.isDirectory(file)) {
                return Optional.of(file + " is a directory, expected a file; download the folder again");
            }
            return FileKind.substitute(file).map(kind -> "%s is %s".formatted(file, kind));
        } catch (IOException e) {
            return Optional.of("%s cannot be read: %s; check its owner and permissions"
                    .formatted(file, FileFault.reason(e, file)));
        }
    }

    /** Returns the names of the files in a folder, for a message. */
    static String present(Path folder) {
        try (Stream<Path> all = Files.list(folder)) {
            List<String> names =
                    all.map(path -> String.valueOf(path.getFileName())).sorted().toList();
            return names.isEmpty() ? "it is empty" : "it has " + listed(names);
        } catch (IOException e) {
            return "it cannot be read: " + FileFault.reason(e, folder);
        }
    }

    /** Returns the first names and the number of the others. */
    static String listed(List<String> names) {
        String first = String.join(", ", names.subList(0, Math.min(LISTED_MAX, names.size())));
        return names.size() <= LISTED_MAX ? first : "%s and %d more".formatted(first, names.size() - LISTED_MAX);
    }
}

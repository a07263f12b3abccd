package darkroom.gpuworkers.pretrained;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The licence that a model folder states: in the front matter of its README.md, and in a file of its own. */
public final class FolderLicence {
    private static final int READ_BYTES_MAX = 1 << 16;

    private FolderLicence() {}

    /** Returns what the folder states with its source; in words, if it states nothing. */
    public static String of(Path folder) {
        List<String> stated = new ArrayList<>();
        String readme = beginning(folder.resolve("README.md")).orElse("");
        List<String> lines = readme.lines().map(String::strip).toList();
        if (!lines.isEmpty() && lines.getFirst().equals("---")) {
            for (String line : lines.subList(1, lines.size())) {
                if (line.equals("---")) {
                    break;
                }
                if (line.startsWith("license:")
                        || line.startsWith("license_name:")
                        || line.startsWith("license_link:")) {
                    stated.add(line.replaceAll("[\"']", ""));
                }
            }
        }
        String text = stated.isEmpty() ? "" : String.join(", ", stated) + " (README.md)";
        for (String name : List.of("LICENSE", "LICENSE.md", "LICENSE.txt")) {
            Optional<String> title = beginning(folder.resolve(name)).flatMap(content -> content.lines()
                    .map(String::strip)
                    .filter(line -> !line.isEmpty())
                    .findFirst());
            if (title.isPresent()) {
                return "%s%s (%s)".formatted(text.isEmpty() ? "" : text + "; ", title.get(), name);
            }
        }
        return text.isEmpty() ? "not stated: neither README.md nor LICENSE says it" : text;
    }

    private static Optional<String> beginning(Path file) {
        if (!Files.isRegularFile(file)) {
            return Optional.empty();
        }
        try (var in = Files.newInputStream(file)) {
            return Optional.of(new String(in.readNBytes(READ_BYTES_MAX), StandardCharsets.UTF_8));
        } catch (IOException e) {
            return Optional.empty();
        }
    }
}

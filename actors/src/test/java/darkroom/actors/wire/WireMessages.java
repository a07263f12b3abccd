package darkroom.actors.wire;

import darkroom.actors.device.WireMessage;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** All classes of this module that are marked as messages between nodes, found among its compiled classes. */
final class WireMessages {
    static final List<Class<?>> ALL = find();

    private WireMessages() {}

    private static List<Class<?>> find() {
        try {
            Path classes = Path.of(WireMessage.class
                    .getProtectionDomain()
                    .getCodeSource()
                    .getLocation()
                    .toURI());
            try (Stream<Path> files = Files.walk(classes)) {
                return files.map(file -> classes.relativize(file).toString())
                        .filter(name -> name.endsWith(".class") && name.startsWith("darkroom"))
                        .sorted()
                        .<Class<?>>map(name -> load(name.substring(0, name.length() - ".class".length())
                                .replace(File.separatorChar, '.')))
                        .filter(type -> type != WireMessage.class && WireMessage.class.isAssignableFrom(type))
                        .toList();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    private static Class<?> load(String name) {
        try {
            return Class.forName(name, false, WireMessage.class.getClassLoader());
        } catch (ClassNotFoundException e) {
            throw new IllegalStateException(e);
        }
    }
}

package darkroom.edittasks.tasks;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * Extracts the icons that Darkroom uses from full icon sets; see this module's README for the two commands.
 *
 * <p>Arguments: the directory of {@code noto.json}, {@code fluent-emoji-flat.json} and {@code
 * fluent-emoji-high-contrast.json} (IconifyJSON), and the directory to write to.
 */
final class ArtPacker {
    private ArtPacker() {}

    public static void main(String[] args) throws IOException {
        if (args.length != 2) {
            throw new IllegalArgumentException("expected two arguments: FOLDER-WITH-ICON-SETS OUTPUT-FOLDER");
        }
        ObjectMapper json = new ObjectMapper();
        for (String set : List.of(Art.NOTO, Art.FLAT, Art.INK)) {
            ObjectNode whole = (ObjectNode)
                    json.readTree(find(Path.of(args[0]), set + ".json").toFile());
            TreeSet<String> names = new TreeSet<>();
            Catalogue.OBJECTS.forEach(o -> names.add(o.icon()));
            if (set.equals(Art.NOTO)) {
                Catalogue.POSES.forEach(p -> p.poses().forEach((verb, icon) -> names.add(icon)));
                Backdrop.SCENERY.forEach((name, icon) -> names.add(icon));
            }
            ObjectNode cut = json.createObjectNode();
            cut.set("prefix", whole.get("prefix"));
            cut.set("info", ((ObjectNode) whole.get("info")).retain("name", "author", "license"));
            cut.set("width", whole.get("width"));
            cut.set("height", whole.get("height"));
            ObjectNode icons = cut.putObject("icons");
            for (String name : names) {
                if (!whole.get("icons").has(name)) {
                    throw new IllegalArgumentException("icon '" + name + "' is not in set " + set);
                }
                icons.set(name, whole.get("icons").get(name));
            }
            Files.writeString(Path.of(args[1]).resolve(set + ".json"), json.writeValueAsString(cut) + "\n");
        }
    }

    private static Path find(Path folder, String name) throws IOException {
        try (Stream<Path> paths = Files.walk(folder)) {
            return paths.filter(path -> path.endsWith(name))
                    .findFirst()
                    .orElseThrow(() -> new IllegalArgumentException("no " + name + " below " + folder));
        }
    }
}

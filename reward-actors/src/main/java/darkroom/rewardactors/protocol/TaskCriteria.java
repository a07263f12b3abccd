package darkroom.rewardactors.protocol;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/**
 * Criteria of an edit, by the type of its task: the task prompts of the paper's section 2.4, which follow the base prompt.
 * One text for each task of the paper's data (Figure 5) and for the two more that rendered tasks have, in our wording.
 */
final class TaskCriteria {
    /** Names of task types, as in files and settings. */
    static final List<String> TASKS = List.of(
            "add",
            "adjust",
            "replace",
            "remove",
            "background",
            "style",
            "extract",
            "hybrid",
            "action",
            "text",
            "red-box",
            "reference");

    /** Other names of the same tasks, in the paper and in public datasets. */
    private static final Map<String, String> ALIASES = Map.ofEntries(
            Map.entry("text-edit", "text"),
            Map.entry("text-change", "text"),
            Map.entry("redbox", "red-box"),
            Map.entry("redbox-control", "red-box"),
            Map.entry("red-box-control", "red-box"),
            Map.entry("ref", "reference"),
            Map.entry("compose", "hybrid"),
            Map.entry("background-change", "background"),
            Map.entry("motion-change", "action"),
            Map.entry("style-change", "style"),
            Map.entry("style-transfer", "style"),
            Map.entry("addition", "add"),
            Map.entry("removal", "remove"),
            Map.entry("replacement", "replace"));

    private static final Map<String, String> TEXTS = texts();

    private TaskCriteria() {}

    /** Returns the text of a task type; empty for an unknown or missing one. */
    static String of(String task) {
        String name = task.strip().toLowerCase(Locale.ROOT).replace('_', '-').replace(' ', '-');
        return TEXTS.getOrDefault(ALIASES.getOrDefault(name, name), "");
    }

    /** Returns all texts, for a digest. */
    static Map<String, String> all() {
        return TEXTS;
    }

    private static Map<String, String> texts() {
        Map<String, String> texts = new TreeMap<>();
        for (String task : TASKS) {
            texts.put(task, text("tasks/" + task + ".txt"));
        }
        return Map.copyOf(texts);
    }

    private static String text(String file) {
        try (InputStream in = TaskCriteria.class.getResourceAsStream(file)) {
            if (in == null) {
                throw new IllegalStateException("task text " + file + " is missing from the jar");
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8).strip();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}

package darkroom.config;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigRenderOptions;
import com.typesafe.config.ConfigValue;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The commented defaults, line by line, with their values replaced by those of other settings. */
final class SettingsText {
    private static final Pattern SECTION = Pattern.compile("\\s*([a-z0-9-]+) \\{\\s*");
    private static final Pattern SETTING = Pattern.compile("(\\s*)([a-z0-9-]+) = (.*?)(?:\\s+# (.*))?");
    /** Matches the meaning of a default and its source. */
    private static final Pattern SOURCE = Pattern.compile("(?:(.*?); )?((?:paper|public): .*|ours\\b.*)");

    private static final Pattern PLAIN = Pattern.compile("\"([a-zA-Z][a-zA-Z0-9-]*)\"");
    private static final int COMMENT_COLUMN = 34;

    private SettingsText() {}

    static String of(List<String> lines, Config defaults, Config settings) {
        Deque<String> sections = new ArrayDeque<>();
        List<String> text = new ArrayList<>();
        for (String line : lines) {
            Matcher section = SECTION.matcher(line);
            Matcher setting = SETTING.matcher(line);
            if (section.matches()) {
                sections.addLast(section.group(1));
                text.add(line);
            } else if (line.strip().equals("}")) {
                sections.removeLast();
                text.add(line);
            } else if (setting.matches()) {
                String key = String.join(".", sections) + (sections.isEmpty() ? "" : ".") + setting.group(2);
                text.add(line(setting, defaults.getValue(key), settings.getValue(key)));
            } else {
                text.add(line);
            }
        }
        return String.join("\n", text) + "\n";
    }

    private static String line(Matcher setting, ConfigValue usual, ConfigValue value) {
        String line = setting.group(1) + setting.group(2) + " = "
                + (value.unwrapped().equals(usual.unwrapped()) ? setting.group(3) : shown(value));
        List<String> comments = new ArrayList<>();
        String comment = setting.group(4) == null ? "" : setting.group(4);
        if (value.unwrapped().equals(usual.unwrapped())) {
            comments.add(comment);
        } else {
            Matcher source = SOURCE.matcher(comment);
            boolean known = source.matches();
            String meaning = known ? source.group(1) : comment;
            comments.add(meaning == null ? "" : meaning);
            comments.add("(default " + shown(usual) + (known ? "; " + source.group(2) : "") + ")");
        }
        comments.removeIf(String::isEmpty);
        return comments.isEmpty()
                ? line
                : line + " ".repeat(Math.max(1, COMMENT_COLUMN - line.length())) + "# " + String.join(" ", comments);
    }

    private static String shown(ConfigValue value) {
        String text = value.render(ConfigRenderOptions.concise());
        Matcher plain = PLAIN.matcher(text);
        return plain.matches() ? plain.group(1) : text;
    }
}

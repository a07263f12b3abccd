package darkroom.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import com.typesafe.config.ConfigRenderOptions;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

/** Checks what the pages say about the code against the code. */
class DocumentationTest {
    private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();
    private static final Pattern LINK = Pattern.compile("\\]\\(([^)\\s]+)\\)");
    private static final Pattern HEADING = Pattern.compile("(?m)^#+ (.+)$");
    private static final Pattern SNIPPET = Pattern.compile("(?ms)^```java\\n(.*?)^```$");
    private static final Pattern MEMBER = Pattern.compile("`([A-Z]+[a-z]\\w*)\\.([a-z]\\w+)(?:\\([^`]*\\))?`");
    private static final Pattern KEY_ROW = Pattern.compile("(?m)^\\| `([a-z0-9.-]+)` \\| `(.*?)` \\|.*$");

    private static final Pattern LAW_STATED = Pattern.compile("<b>([A-Z]{2})-(\\d+)</b>");
    private static final Pattern LAW_RANGE = Pattern.compile("\\b([A-Z]{2})-(\\d+) to \\1-(\\d+)");
    private static final Pattern LAW_NAMED = Pattern.compile("\\b([A-Z]{2})-(\\d+)\\b");
    private static final Pattern FRAME_SAID = Pattern.compile("(?m)^        ([A-Z_]+)\\(\\d+\\)[,;]$");
    private static final Pattern FRAME_SHOWN = Pattern.compile("\\b([A-Z]{4,}(?:_[A-Z]+)?)\\b");
    private static final Pattern FIGURE_ROW = Pattern.compile("(?m)^\\| `(darkroom[.][A-Za-z.-]+)` \\| (\\S+) \\|$");

    private static final Pattern DECLARED = Pattern.compile("\\b(?:class|record|interface|enum) ([A-Z]\\w+)");
    private static final Pattern TYPE_NAMED = Pattern.compile("`([A-Z][a-z0-9]+[A-Z][A-Za-z0-9]*)`");
    private static final Pattern COMMAND_SHOWN = Pattern.compile("\\./darkroom ([a-z][^\n`|&;]*)");

    @Test
    void every_link_leads_to_a_file_and_a_heading_that_are_there() throws IOException {
        List<String> broken = new ArrayList<>();
        for (Path page : pages()) {
            for (MatchResult link : all(LINK, Files.readString(page))) {
                String target = link.group(1);
                if (target.contains("://")) {
                    continue;
                }
                int hash = target.indexOf('#');
                String file = hash < 0 ? target : target.substring(0, hash);
                Path there = file.isEmpty() ? page : page.resolveSibling(file).normalize();
                if (!Files.exists(there) || (hash >= 0 && !anchors(there).contains(target.substring(hash + 1)))) {
                    broken.add(ROOT.relativize(page) + " -> " + target);
                }
            }
        }
        assertThat(broken).isEmpty();
    }

    @Test
    void every_java_snippet_is_cut_out_of_a_source() throws IOException {
        List<String> sources = texts(sources());
        int snippets = 0;
        for (Path page : pages()) {
            for (MatchResult snippet : all(SNIPPET, Files.readString(page))) {
                snippets++;
                assertThat(sources)
                        .as("a source with the snippet of %s", page)
                        .anyMatch(source -> source.contains(snippet.group(1)));
            }
        }
        assertThat(snippets).isPositive();
    }

    @Test
    void every_member_that_a_page_names_is_there() throws IOException {
        List<String> sources = texts(sources());
        List<String> missing = new ArrayList<>();
        for (Path page : pages()) {
            for (MatchResult member : all(MEMBER, Files.readString(page))) {
                Pattern type = Pattern.compile("\\b(?:class|record|interface|enum) " + member.group(1) + "\\b");
                Pattern name = Pattern.compile("\\b" + member.group(2) + "\\b");
                if (sources.stream()
                        .noneMatch(source -> type.matcher(source).find()
                                && name.matcher(source).find())) {
                    missing.add(ROOT.relativize(page) + ": " + member.group());
                }
            }
        }
        assertThat(missing).isEmpty();
    }

    @Test
    void every_law_that_a_page_names_is_stated_in_the_code_and_ranges_name_all_of_them() throws IOException {
        Map<String, TreeSet<Integer>> laws = new TreeMap<>();
        for (String source : texts(sources())) {
            for (MatchResult law : all(LAW_STATED, source)) {
                laws.computeIfAbsent(law.group(1), _ -> new TreeSet<>()).add(Integer.parseInt(law.group(2)));
            }
        }
        assertThat(laws).containsKeys("WQ", "TP");
        List<String> wrong = new ArrayList<>();
        for (Path page : pages()) {
            String text = Files.readString(page);
            for (MatchResult range : all(LAW_RANGE, text)) {
                TreeSet<Integer> stated = laws.getOrDefault(range.group(1), new TreeSet<>());
                if (!stated.equals(numbers(range.group(2), range.group(3)))) {
                    wrong.add("%s: %s, the code states %s".formatted(ROOT.relativize(page), range.group(), stated));
                }
            }
            for (MatchResult law : all(LAW_NAMED, text)) {
                if (laws.containsKey(law.group(1))
                        && !laws.get(law.group(1)).contains(Integer.parseInt(law.group(2)))) {
                    wrong.add(ROOT.relativize(page) + ": " + law.group());
                }
            }
        }
        assertThat(wrong).isEmpty();
    }

    private static SortedSet<Integer> numbers(String first, String last) {
        return IntStream.rangeClosed(Integer.parseInt(first), Integer.parseInt(last))
                .boxed()
                .collect(Collectors.toCollection(TreeSet::new));
    }

    /** Checks both directions: the page shows each message, and each message on the page exists. */
    @Test
    void the_messages_of_the_tensor_plane_are_those_that_its_page_shows() throws IOException {
        String code = Files.readString(ROOT.resolve("tensors/src/main/java/darkroom/tensors/PlaneFrame.java"));
        String page = Files.readString(ROOT.resolve("tensors/README.md"));
        SortedSet<String> said = words(FRAME_SAID, code);
        assertThat(said).contains("REQUEST", "DATA");
        assertThat(words(
                        FRAME_SHOWN,
                        String.join(
                                "\n",
                                page.lines()
                                        .filter(line -> line.startsWith("here "))
                                        .toList())))
                .isEqualTo(said);
    }

    /** Types of other projects that pages mention. */
    private static final Set<String> FOREIGN = Set.of(
            "StrictMath",
            "GroupManagerImpl",
            "ConductorServiceTimeoutException",
            "TimeoutStopSec",
            "PrivateTmp",
            "FluxKontextPipeline");

    @Test
    void every_class_that_a_page_names_is_there() throws IOException {
        Set<String> declared = new TreeSet<>();
        for (String source : texts(sources())) {
            all(DECLARED, source).forEach(type -> declared.add(type.group(1)));
        }
        List<String> missing = new ArrayList<>();
        for (Path page : pages()) {
            for (MatchResult type : all(TYPE_NAMED, Files.readString(page))) {
                if (!declared.contains(type.group(1)) && !FOREIGN.contains(type.group(1))) {
                    missing.add(ROOT.relativize(page) + ": " + type.group());
                }
            }
        }
        assertThat(missing).isEmpty();
        assertThat(declared).contains("RunSupervisor").doesNotContain("NoSuchType");
    }

    @Test
    void every_command_that_a_page_shows_exists_with_its_options() throws IOException {
        List<String> wrong = new ArrayList<>();
        int commands = 0;
        for (Path page : pages()) {
            for (MatchResult shown : all(COMMAND_SHOWN, Files.readString(page).replace("\\\n", " "))) {
                commands++;
                String problem = problem(shown.group(1));
                if (!problem.isEmpty()) {
                    wrong.add("%s: %s: %s".formatted(ROOT.relativize(page), problem, shown.group()));
                }
            }
        }
        assertThat(commands).isGreaterThan(50);
        assertThat(wrong).isEmpty();
        assertThat(problem("train --recipes x")).isEqualTo("no option --recipes");
        assertThat(problem("dataset polish x")).isEmpty();
        assertThat(problem("polish x")).isEqualTo("no command polish");
    }

    /** Returns the first command or option of a command line that does not exist; empty if all exist. */
    private static String problem(String line) {
        CommandLine command = Darkroom.commandLine();
        boolean first = true;
        for (String word : line.strip().split("\\s+")) {
            CommandLine below = command.getSubcommands().get(word);
            if (below != null) {
                command = below;
            } else if (word.startsWith("--")) {
                String option = word.replaceAll("[=,;:.)`].*$", "");
                if (command.getCommandSpec().findOption(option) == null) {
                    return "no option " + option;
                }
            } else if (first && word.matches("[a-z-]+")) {
                return "no command " + word;
            }
            first = false;
        }
        return "";
    }

    private static SortedSet<String> words(Pattern pattern, String text) {
        return all(pattern, text).stream().map(word -> word.group(1)).collect(Collectors.toCollection(TreeSet::new));
    }

    @Test
    void the_table_of_settings_has_every_key_with_its_default() throws IOException {
        Config defaults = ConfigFactory.parseResources(DocumentationTest.class, "/darkroom/config/defaults.conf");
        TreeMap<String, String> expected = new TreeMap<>();
        for (var entry : defaults.entrySet()) {
            expected.put(entry.getKey(), entry.getValue().render(ConfigRenderOptions.concise()));
        }
        TreeMap<String, String> documented = new TreeMap<>();
        String page = Files.readString(ROOT.resolve("docs/configuration.md"));
        for (MatchResult row : all(KEY_ROW, page.substring(page.indexOf("## All keys")))) {
            documented.put(
                    row.group(1),
                    ConfigFactory.parseString("value = " + row.group(2))
                            .getValue("value")
                            .render(ConfigRenderOptions.concise()));
        }
        assertThat(documented).isEqualTo(expected);
    }

    @Test
    void the_figures_of_a_model_card_are_those_of_its_weights() throws IOException {
        for (String model : List.of("mixed", "clean", "judge", "weak")) {
            JsonNode metadata = metadata(ROOT.resolve(
                    "gpu-workers/src/main/resources/darkroom/gpuworkers/weights/" + model + ".safetensors"));
            List<MatchResult> rows = all(FIGURE_ROW, Files.readString(ROOT.resolve("docs/models/" + model + ".md")));
            assertThat(rows).as("figures of %s", model).isNotEmpty();
            for (MatchResult row : rows) {
                assertThat(row.group(2))
                        .as("%s in docs/models/%s.md", row.group(1), model)
                        .isEqualTo(metadata.path(row.group(1)).asText("absent"));
            }
        }
    }

    private static JsonNode metadata(Path safetensors) throws IOException {
        try (InputStream in = Files.newInputStream(safetensors)) {
            long header = ByteBuffer.wrap(in.readNBytes(Long.BYTES))
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .getLong();
            return new JsonMapper()
                    .readTree(in.readNBytes(Math.toIntExact(header)))
                    .path("__metadata__");
        }
    }

    private static List<Path> pages() throws IOException {
        return files(".md");
    }

    private static List<Path> sources() throws IOException {
        return files(".java");
    }

    private static List<Path> files(String suffix) throws IOException {
        try (Stream<Path> tree = Files.walk(ROOT)) {
            return tree.filter(path -> path.toString().endsWith(suffix))
                    .filter(path -> Stream.of("target", "runs", ".git")
                            .noneMatch(name -> ROOT.relativize(path).startsWith(name)
                                    || ROOT.relativize(path).toString().contains("/" + name + "/")))
                    .sorted()
                    .toList();
        }
    }

    private static List<String> texts(List<Path> files) throws IOException {
        List<String> texts = new ArrayList<>();
        for (Path file : files) {
            texts.add(Files.readString(file));
        }
        return texts;
    }

    /** Converts headings to anchors: lower case, blanks to hyphens, other signs removed. */
    private static List<String> anchors(Path page) throws IOException {
        return all(HEADING, Files.readString(page)).stream()
                .map(heading -> heading.group(1)
                        .toLowerCase(Locale.ROOT)
                        .replaceAll("[^\\p{L}\\p{N} _-]", "")
                        .replace(' ', '-'))
                .toList();
    }

    private static List<MatchResult> all(Pattern pattern, String text) {
        return pattern.matcher(text).results().toList();
    }
}

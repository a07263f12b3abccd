package darkroom.edittasks.datasets;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import darkroom.config.PictureView;
import darkroom.edittasks.datasets.AnnotatedImage.Box;
import darkroom.edittasks.pictures.RgbImage;
import darkroom.edittasks.tasks.Draws;
import darkroom.edittasks.tasks.Split;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.AlphaChars;
import net.jqwik.api.constraints.NumericChars;
import net.jqwik.api.constraints.StringLength;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CurationTest {
    /** A box inside a picture of 100 by 100 pixels; 16 % of its area. */
    private static final String BOX = "[30, 30, 70, 70]";

    @TempDir
    @SuppressWarnings("NullAway.Init")
    private Path root;

    private Path in() {
        return root.resolve("in");
    }

    private Path out() {
        return root.resolve("out");
    }

    @BeforeEach
    void draw() throws IOException {
        Files.createDirectories(in().resolve("images"));
        for (String name : List.of("a", "b", "c")) {
            Files.write(in().resolve("images/" + name + ".png"), gray(100, 100).png());
        }
        Files.write(in().resolve("images/wide.png"), gray(200, 100).png());
    }

    private static RgbImage gray(int width, int height) {
        byte[] rgb = new byte[3 * width * height];
        Arrays.fill(rgb, (byte) 128);
        return RgbImage.of(width, height, rgb);
    }

    /** Settings with everything in train, without red boxes. */
    private static CurationSettings settings(double redBoxShare, Map<String, Integer> caps) {
        return new CurationSettings(.1, .8, .5, .8, .7, .1, redBoxShare, caps, 0, 0, 3);
    }

    private Curation.Report curate(CurationSettings settings, String... lines) throws IOException {
        Files.writeString(in().resolve(Curation.ANNOTATIONS), String.join("\n", lines) + "\n");
        return Curation.run(in(), out(), settings, true, _ -> {});
    }

    private Curation.Report curate(String... lines) throws IOException {
        return curate(settings(0, Map.of()), lines);
    }

    /** The picture is stored with 16 by 12 pixels and displayed with 12 by 16. */
    @Test
    void boxes_are_in_pixels_of_the_displayed_picture_and_a_box_of_the_stored_one_is_told_why() throws IOException {
        try (var turned = CurationTest.class.getResourceAsStream("/darkroom/edittasks/pictures/orientation-6.jpg")) {
            Files.write(in().resolve("images/turned.jpg"), turned.readAllBytes());
        }
        String upright =
                "{\"image\": \"images/turned.jpg\", \"objects\": [{\"name\": \"dog\", \"box\": [2, 3, 10, 14]}]}";
        Curation.Report report = curate(settings(1, Map.of()), upright);
        assertThat(report.imagesKept()).isEqualTo(1);
        DatasetRow boxed = rows().stream()
                .filter(row -> "red-box".equals(row.taskType()))
                .findFirst()
                .orElseThrow();
        RgbImage picture = RgbImage.decode(Files.readAllBytes(out().resolve(boxed.image())));
        assertThat(picture.width() + "x" + picture.height()).isEqualTo("12x16");
        assertThat(picture.channel(5, 2, 0)).isEqualTo(255);
        assertThat(picture.channel(5, 2, 1)).isZero();

        String stored =
                "{\"image\": \"images/turned.jpg\", \"objects\": [{\"name\": \"dog\", \"box\": [3, 2, 14, 10]}]}";
        curate(stored);
        assertThat(out().resolve(Curation.REJECTED))
                .content()
                .contains("box-outside", "12x16 pixels after its EXIF orientation was applied", "--pictures as-stored");
        Curation.Report asStored =
                Curation.run(in(), PictureView.AS_STORED, out(), settings(0, Map.of()), true, _ -> {});
        assertThat(asStored.imagesKept()).isEqualTo(1);
    }

    private List<DatasetRow> rows() throws IOException {
        List<DatasetRow> rows = new ArrayList<>();
        for (Split split : List.of(Split.TRAIN, Split.VALIDATION, Split.HELD_OUT)) {
            DatasetDirectory dataset = new DatasetDirectory(out());
            if (dataset.has(split)) {
                try (DatasetReader reader = dataset.reader(split)) {
                    for (DatasetLine line = reader.next(); line != null; line = reader.next()) {
                        assertThat(line).isInstanceOf(DatasetLine.Usable.class);
                        rows.add(((DatasetLine.Usable) line).row());
                    }
                }
            }
        }
        return rows;
    }

    private static String object(String name, String box) {
        return "{\"name\": \"%s\", \"box\": %s}".formatted(name, box);
    }

    private static String image(String name, String rest) {
        return "{\"image\": \"images/%s.png\", %s}".formatted(name, rest);
    }

    @Test
    void an_object_that_passes_is_to_be_removed_and_the_picture_comes_along() throws IOException {
        Curation.Report report =
                curate(image("a", "\"objects\": [" + object("dog", BOX) + "], \"license\": {\"by\":  1.0}"));
        assertThat(report.imagesKept()).isEqualTo(1);
        assertThat(report.rejections()).isEmpty();
        assertThat(report.rows()).isEqualTo(Map.of(Split.TRAIN, Map.of("remove", 1L)));
        assertThat(rows()).singleElement().satisfies(row -> {
            assertThat(row.prompt()).isEqualTo("remove the dog");
            assertThat(row.taskType()).isEqualTo("remove");
            assertThat(row.image()).isEqualTo("images/a.png");
            assertThat(row.fields()).containsEntry("license", "{\"by\":  1.0}");
        });
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
        {"name": "dog", "box": [30, 30, 61, 62]} | BOX_TOO_SMALL | 9.9 %
        {"name": "dog", "box": [0, 0, 100, 81]} | BOX_TOO_LARGE | 81.0 %
        {"name": "dog", "box": [-1, 0, 50, 50]} | BOX_OUTSIDE | 100x100
        {"name": "dog", "box": [60, 0, 101, 50]} | BOX_OUTSIDE | 100x100
        {"name": "dog", "box": [50, 50, 50, 90]} | BOX_OUTSIDE | 100x100
        {"name": "dog", "box": [30, 30, 70, 70], "score": 0.79} | LOW_CONFIDENCE | 0.79
        {"name": "sky", "box": [0, 0, 100, 49], "background": true} | BOX_TOO_SMALL | 50.0 %
        {"name": "sky", "box": [0, 0, 100, 60], "background": true, "score": 0.69} | LOW_CONFIDENCE | 0.69
        """)
    void a_box_beyond_the_bounds_makes_no_row(String object, CurationRule rule, String reason) throws IOException {
        Curation.Report report = curate(image("a", "\"objects\": [" + object + "]"));
        assertThat(report.rejections()).isEqualTo(Map.of(rule, 1L));
        assertThat(report.imagesRejected()).isEqualTo(Map.of(rule, 1L));
        assertThat(report.rows()).isEmpty();
        assertThat(Files.readString(out().resolve(Curation.REJECTED)))
                .contains("\"line\":1", "\"image\":\"images/a.png\"", "\"rule\":\"" + rule.label() + "\"", reason)
                .contains("whole picture");
        assertThat(out().resolve("train_metadata.jsonl")).doesNotExist();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
        {"name": "dog", "box": [30, 30, 62, 62]}
        {"name": "dog", "box": [0, 0, 100, 80]}
        {"name": "dog", "box": [30, 30, 70, 70], "score": 0.8}
        {"name": "dog", "box": [30.5, 30, 70, 70.25], "score": null}
        """)
    void a_box_at_the_bounds_passes(String object) throws IOException {
        assertThat(curate(image("a", "\"objects\": [" + object + "]")).rejections())
                .isEmpty();
        assertThat(rows()).hasSize(1);
    }

    @Test
    void a_background_may_fill_the_picture_and_is_never_removed() throws IOException {
        Curation.Report report = curate(image(
                "a",
                "\"objects\": [{\"name\": \"sky\", \"box\": [0, 0, 100, 100], \"background\": true, \"score\":"
                        + " 0.7}], \"edits\": [{\"task_type\": \"background\", \"prompt\": \"darken the sky\","
                        + " \"object\": 0}]"));
        assertThat(report.rejections()).isEmpty();
        assertThat(rows()).extracting(DatasetRow::prompt).containsExactly("darken the sky");
    }

    @Test
    void a_box_that_training_would_cut_off_makes_no_row() throws IOException {
        assertThat(curate(image("wide", "\"objects\": [" + object("dog", "[30, 0, 90, 100]") + "]"))
                        .rejections())
                .isEqualTo(Map.of(CurationRule.BOX_CUT_OFF, 1L));
        assertThat(curate(image("wide", "\"objects\": [" + object("dog", "[46, 0, 96, 100]") + "]"))
                        .rejections())
                .isEmpty();
    }

    @Test
    void an_edit_about_an_object_that_failed_makes_no_row_and_its_like_does() throws IOException {
        String edits = "\"edits\": [{\"task_type\": \"adjust\", \"prompt\": \"make the dog red\", \"object\": 0},"
                + " {\"task_type\": \"adjust\", \"prompt\": \"make the cat red\", \"object\": 1,"
                + " \"requirement\": \"red\"}]";
        Curation.Report report = curate(image(
                "a", "\"objects\": [" + object("dog", "[0, 0, 9, 9]") + "," + object("cat", BOX) + "], " + edits));
        assertThat(report.rejections()).isEqualTo(Map.of(CurationRule.BOX_TOO_SMALL, 1L));
        assertThat(rows()).singleElement().satisfies(row -> {
            assertThat(row.prompt()).isEqualTo("make the cat red");
            assertThat(row.requirement()).isEqualTo("red");
        });
    }

    @Test
    void an_edit_that_somebody_found_implausible_makes_no_row() throws IOException {
        String edit = "\"edits\": [{\"task_type\": \"replace\", \"prompt\": \"replace the sea with 7\","
                + " \"plausible\": %s}]";
        assertThat(curate(image("a", edit.formatted(false))).imagesRejected())
                .isEqualTo(Map.of(CurationRule.IMPLAUSIBLE, 1L));
        assertThat(curate(image("a", edit.formatted(true))).rejections()).isEmpty();
    }

    @Test
    void a_name_that_two_objects_have_is_no_instruction() throws IOException {
        Curation.Report report =
                curate(image("a", "\"objects\": [" + object("dog", BOX) + "," + object("Dog", "[0, 0, 40, 40]") + "]"));
        assertThat(report.rejections()).isEqualTo(Map.of(CurationRule.AMBIGUOUS_NAME, 2L));
        assertThat(report.imagesRejected()).isEqualTo(Map.of(CurationRule.AMBIGUOUS_NAME, 1L));
    }

    @Test
    void a_picture_that_cannot_be_used_is_rejected_with_the_reason() throws IOException {
        Curation.Report report = curate(
                image("none", "\"objects\": [" + object("dog", BOX) + "]"),
                "{\"image\": \"../a.png\"}",
                image(
                        "a",
                        "\"edits\": [{\"task_type\": \"reference\", \"prompt\": \"p\", \"reference\":"
                                + " \"images/no.png\"}]"),
                image(
                        "b",
                        "\"edits\": [{\"task_type\": \"add\", \"prompt\": \"p\", \"target\": \"images/wide.png\"}]"));
        assertThat(report.imagesRejected()).isEqualTo(Map.of(CurationRule.UNUSABLE_IMAGE, 4L));
        assertThat(Files.readString(out().resolve(Curation.REJECTED)))
                .contains("images/none.png is not there", "leads out", "images/no.png is not there", "not as large");
    }

    @Test
    void a_picture_with_nothing_to_edit_is_rejected() throws IOException {
        assertThat(curate("{\"image\": \"images/a.png\"}").imagesRejected())
                .isEqualTo(Map.of(CurationRule.NOTHING_TO_EDIT, 1L));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
        {"objects": []} | image is missing
        {"image": 3} | image=3
        {"image": "images/a.png", "objects": {}} | objects={}
        {"image": "images/a.png", "objects": [{"box": [0, 0, 9, 9]}]} | objects[0].name is missing
        {"image": "images/a.png", "objects": [{"name": "x", "box": [0, 0, 9]}]} | objects[0].box=[0,0,9]
        {"image": "images/a.png", "objects": [{"name": "x", "box": [0, 0, 9, "9"]}]} | objects[0].box
        {"image": "images/a.png", "objects": [{"name": "x", "box": [0, 0, 9, 9], "score": 2}]} | score=2
        {"image": "images/a.png", "objects": [{"name": "x", "box": [0, 0, 9, 9], "background": 1}]} | background=1
        {"image": "images/a.png", "texts": [{"text": ""}]} | texts[0].text
        {"image": "images/a.png", "edits": [{"prompt": "p"}]} | edits[0].task_type is missing
        {"image": "images/a.png", "edits": [{"task_type": "add", "prompt": "p", "object": 0}]} | edits[0].object=0
        {"image": "images/a.png", "edits": [{"task_type": "add", "prompt": "p", "plausible": "no"}]} | plausible
        {"image": | no JSON
        [] | no JSON object
        """)
    void a_malformed_annotation_is_rejected_with_its_line_and_reason(String line, String reason) throws IOException {
        Curation.Report report = curate(image("a", "\"objects\": [" + object("dog", BOX) + "]"), line);
        assertThat(report.imagesRejected()).isEqualTo(Map.of(CurationRule.MALFORMED_ANNOTATION, 1L));
        assertThat(report.imagesKept()).isEqualTo(1);
        assertThat(Files.readString(out().resolve(Curation.REJECTED)).replace("\\\"", "\""))
                .contains("\"line\":2", reason);
    }

    @Test
    void a_text_has_one_word_altered() throws IOException {
        curate(image("a", "\"texts\": [{\"text\": \"Open DAILY 24 h\"}]"));
        assertThat(rows()).singleElement().satisfies(row -> {
            assertThat(row.taskType()).isEqualTo("text");
            assertThat(row.prompt()).matches("change the word \"(Open|DAILY|24)\" to \"[A-Za-z0-9]{2,5}\"");
        });
    }

    @Test
    void a_text_without_a_word_of_its_own_makes_no_row() throws IOException {
        Curation.Report report =
                curate(image("a", "\"texts\": [{\"text\": \"A\"}, {\"text\": \"漢字\"}, {\"text\": \"GO GO\"}]"));
        assertThat(report.rejections()).isEqualTo(Map.of(CurationRule.TEXT_UNALTERABLE, 3L));
    }

    @Property(tries = 300)
    void an_altered_word_differs_in_one_or_two_characters_of_the_same_kind(
            @ForAll @AlphaChars @NumericChars @StringLength(min = 1, max = 8) String word, @ForAll long seed) {
        String altered = RowProposals.altered(word, new Draws(seed));
        assertThat(altered).hasSameSizeAs(word);
        int differ = 0;
        for (int i = 0; i < word.length(); i++) {
            differ += word.charAt(i) == altered.charAt(i) ? 0 : 1;
            assertThat(Character.getType(altered.charAt(i))).isEqualTo(Character.getType(word.charAt(i)));
        }
        assertThat(differ).isBetween(1, 2);
    }

    @Test
    void a_red_box_stands_for_the_name_and_is_drawn_round_the_object() throws IOException {
        Curation.Report report = curate(
                settings(1, Map.of()),
                image(
                        "a",
                        "\"objects\": [" + object("dog", BOX) + "], \"edits\": [{\"task_type\": \"adjust\", \"prompt\":"
                                + " \"Paint the dog blue\", \"object\": 0}, {\"task_type\": \"extract\", \"prompt\":"
                                + " \"extract the dog\", \"object\": 0}, {\"task_type\": \"replace\", \"prompt\":"
                                + " \"put a cat there\", \"object\": 0}]"));
        assertThat(report.rejections()).isEqualTo(Map.of(CurationRule.NO_RED_BOX_WORDING, 1L));
        List<DatasetRow> rows = rows();
        assertThat(rows)
                .extracting(DatasetRow::prompt)
                .containsExactly(
                        "Paint the dog blue",
                        "Paint the object in the red box blue",
                        "extract the dog",
                        "put a cat there");
        DatasetRow boxed = rows.get(1);
        assertThat(boxed.taskType()).isEqualTo("red-box");
        assertThat(boxed.requirement()).contains("red box must be gone");
        RgbImage picture = RgbImage.decode(Files.readAllBytes(out().resolve(boxed.image())));
        for (int y = 0; y < 100; y++) {
            for (int x = 0; x < 100; x++) {
                boolean inside = x >= 30 && x < 70 && y >= 30 && y < 70;
                boolean line = x >= 29 && x < 71 && y >= 29 && y < 71 && !inside;
                assertThat(List.of(picture.channel(x, y, 0), picture.channel(x, y, 1), picture.channel(x, y, 2)))
                        .as("%d, %d", x, y)
                        .isEqualTo(line ? List.of(255, 0, 0) : List.of(128, 128, 128));
            }
        }
    }

    @Test
    void a_red_box_at_the_border_stays_in_the_picture_and_is_wider_on_a_larger_one() {
        RgbImage boxed = RedBox.around(gray(100, 100), new Box(0, 0, 100, 50));
        assertThat(boxed.channel(0, 0, 1)).isZero();
        assertThat(boxed.channel(99, 25, 1)).isZero();
        assertThat(boxed.channel(50, 50, 1)).isZero();
        assertThat(boxed.channel(50, 51, 1)).isEqualTo(128);
        RgbImage large = RedBox.around(gray(512, 600), new Box(100, 100, 300, 300));
        assertThat(large.channel(96, 200, 1)).isZero();
        assertThat(large.channel(99, 200, 1)).isZero();
        assertThat(large.channel(95, 200, 1)).isEqualTo(128);
        assertThat(large.channel(100, 200, 1)).isEqualTo(128);
    }

    @Test
    void the_same_edit_of_the_same_picture_is_one_row() throws IOException {
        String edit = "\"edits\": [{\"task_type\": \"add\", \"prompt\": \"add a hat\"}]";
        Curation.Report report = curate(image("a", edit), image("a", edit), image("b", edit));
        assertThat(report.rejections()).isEqualTo(Map.of(CurationRule.DUPLICATE, 1L));
        assertThat(rows()).hasSize(2);
    }

    @Test
    void a_task_type_has_no_more_rows_than_its_cap() throws IOException {
        String edit = "\"edits\": [{\"task_type\": \"extract\", \"prompt\": \"extract it\"},"
                + " {\"task_type\": \"add\", \"prompt\": \"add a hat\"}]";
        Curation.Report report =
                curate(settings(0, Map.of("extract", 2)), image("a", edit), image("b", edit), image("c", edit));
        assertThat(report.rows().get(Split.TRAIN)).isEqualTo(Map.of("extract", 2L, "add", 3L));
        assertThat(report.rejections()).isEqualTo(Map.of(CurationRule.TASK_CAP, 1L));
        assertThat(report.imagesKept()).isEqualTo(3);
        assertThat(CurationSettings.USUAL.caps()).isEqualTo(Map.of("reference", 600, "extract", 600));
    }

    @Test
    void the_same_annotations_make_the_same_dataset_and_a_picture_is_in_one_split() throws IOException {
        List<String> lines = new ArrayList<>();
        for (int i = 0; i < 40; i++) {
            Files.write(
                    in().resolve("images/p" + i + ".png"), gray(10 + i, 10 + i).png());
            lines.add(image(
                    "p" + i,
                    "\"texts\": [{\"text\": \"SALE\"}], \"edits\": [{\"task_type\": \"add\", \"prompt\": \"add"
                            + " a hat\"}]"));
        }
        CurationSettings settings = new CurationSettings(.1, .8, .5, .8, .7, .1, .5, Map.of("text", 30), .25, .25, 8);
        Curation.Report first = curate(settings, lines.toArray(String[]::new));
        List<DatasetRow> rows = rows();
        assertThat(first.rows().keySet()).containsExactly(Split.TRAIN, Split.VALIDATION, Split.HELD_OUT);
        Map<String, Split> splitOf = new HashMap<>();
        Map<Split, List<String>> bytes = new EnumMap<>(Split.class);
        for (Split split : first.rows().keySet()) {
            bytes.put(split, Files.readAllLines(out().resolve(split.metadataFile())));
            for (String line : bytes.getOrDefault(split, List.of())) {
                String image = line.replaceAll(".*(images/p\\d+).*", "$1");
                assertThat(splitOf.merge(image, split, (before, _) -> before)).isEqualTo(split);
            }
        }
        assertThat(curate(settings, lines.toArray(String[]::new))).isEqualTo(first);
        assertThat(rows()).isEqualTo(rows);
    }

    /** P-1: every rule rejects something here, and every kind of row is written; the digest is of all text and red boxes. */
    @Test
    void what_the_rules_make_of_the_same_annotations_never_changes() throws Exception {
        List<String> lines = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            Files.write(in().resolve("images/p" + i + ".png"), gray(100, 100).png());
        }
        for (int i = 0; i < 60; i++) {
            String dog = object("dog", i % 5 == 0 ? "[0, 0, 9, 9]" : i % 7 == 0 ? "[-1, 0, 50, 50]" : BOX);
            String cat = i % 11 == 0
                    ? "{\"name\": \"cat\", \"box\": [0, 0, 50, 50], \"score\": 0.5}"
                    : object(i % 3 == 0 ? "Dog" : "cat", i % 13 == 0 ? "[0, 0, 100, 90]" : "[10, 20, 70, 80]");
            lines.add(image(
                    i % 17 == 16 ? "none" : i % 6 == 0 ? "wide" : "p" + i % 20,
                    "\"objects\": [%s, %s], \"texts\": [{\"text\": \"Open DAILY %d h\"}, {\"text\": \"GO GO\"}], \"n\": %d,"
                                    .formatted(dog, cat, i, i)
                            + " \"edits\": [{\"task_type\": \"adjust\", \"prompt\": \"make the dog %d\", \"object\": 0},"
                                    .formatted(i)
                            + " {\"task_type\": \"replace\", \"prompt\": \"it becomes %d\", \"object\": %d},"
                                    .formatted(i, i % 9 == 3 ? 0 : 1)
                            + " {\"task_type\": \"add\", \"prompt\": \"add %d\", \"plausible\": %s,"
                                    .formatted(i, i % 4 > 0)
                            + " \"target\": \"images/%s.png\"}]".formatted(i % 8 == 0 ? "wide" : "b")));
        }
        lines.add(lines.get(1));
        lines.add(20, "{\"image\": 3}");
        lines.add(30, "{\"image\": \"images/b.png\"}");
        CurationSettings settings = new CurationSettings(.1, .8, .5, .8, .7, .1, .5, Map.of("text", 30), .25, .25, 8);
        Curation.Report report = curate(settings, lines.toArray(String[]::new));
        assertThat(report.rejections().keySet()).containsExactly(CurationRule.values());
        StringBuilder all = new StringBuilder(report.toString());
        for (String file : List.of(
                Split.TRAIN.metadataFile(),
                Split.VALIDATION.metadataFile(),
                Split.HELD_OUT.metadataFile(),
                Curation.REJECTED)) {
            all.append(file).append('\n').append(Files.readString(out().resolve(file)));
        }
        for (DatasetRow row : rows()) {
            all.append(RgbImage.decode(Files.readAllBytes(out().resolve(row.image())))
                    .sha256());
        }
        byte[] sha256 =
                MessageDigest.getInstance("SHA-256").digest(all.toString().getBytes(StandardCharsets.UTF_8));
        assertThat(HexFormat.of().formatHex(sha256))
                .isEqualTo("47bd42d5b2f3a31d570d56d416497f9a4cf75f0aab443f3a1298d71b4752f4ab");
    }

    @Test
    void what_is_there_is_not_replaced_by_accident() throws IOException {
        String line = image("a", "\"objects\": [" + object("dog", BOX) + "]");
        curate(line);
        assertThatThrownBy(() -> Curation.run(in(), out(), CurationSettings.USUAL, false, _ -> {}))
                .isInstanceOf(FileAlreadyExistsException.class);
        assertThatThrownBy(() -> Curation.run(in(), in(), CurationSettings.USUAL, true, _ -> {}))
                .hasMessageContaining("another directory");
    }

    @Test
    void bounds_that_cannot_be_are_refused_by_name() {
        assertThatThrownBy(() -> new CurationSettings(.9, .8, .5, .8, .7, .1, 0, Map.of(), 0, 0, 0))
                .hasMessageContaining("box-min=0.9 > box-max=0.8");
        assertThatThrownBy(() -> new CurationSettings(.1, .8, .5, 1.8, .7, .1, 0, Map.of(), 0, 0, 0))
                .hasMessageContaining("confidence-min=1.8");
        assertThatThrownBy(() -> new CurationSettings(.1, .8, .5, .8, .7, .1, 0, Map.of("add", -1), 0, 0, 0))
                .hasMessageContaining("cap add=-1");
        assertThatThrownBy(() -> new CurationSettings(.1, .8, .5, .8, .7, .1, 0, Map.of(), .5, .5, 0))
                .hasMessageContaining("test-share");
    }
}

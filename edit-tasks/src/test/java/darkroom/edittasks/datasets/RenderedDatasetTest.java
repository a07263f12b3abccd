package darkroom.edittasks.datasets;

import static org.assertj.core.api.Assertions.assertThat;

import darkroom.edittasks.pictures.RgbImage;
import darkroom.edittasks.tasks.EditTask;
import darkroom.edittasks.tasks.EditTasks;
import darkroom.edittasks.tasks.Split;
import darkroom.edittasks.tasks.TaskMix;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RenderedDatasetTest {
    private static final int ROWS = 40;

    private static void write(Path directory, Split split, long seed) throws IOException {
        EditTasks tasks = new EditTasks(32, seed, TaskMix.all());
        RenderedDataset.write(tasks, split, ROWS, directory, false, _ -> {});
    }

    private static Map<String, String> contents(Path directory) throws IOException {
        Map<String, String> contents = new TreeMap<>();
        try (var files = Files.walk(directory)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                contents.put(
                        directory.relativize(file).toString(),
                        java.util.HexFormat.of().formatHex(Files.readAllBytes(file)));
            }
        }
        return contents;
    }

    @Test
    void two_runs_write_the_same_bytes_and_another_seed_others(
            @TempDir Path first, @TempDir Path second, @TempDir Path third) throws IOException {
        write(first, Split.TRAIN, 5);
        write(second, Split.TRAIN, 5);
        write(third, Split.TRAIN, 6);
        assertThat(contents(first)).hasSizeGreaterThan(3 * ROWS).isEqualTo(contents(second));
        assertThat(contents(third).get("train_metadata.jsonl"))
                .isNotEqualTo(contents(first).get("train_metadata.jsonl"));
    }

    @Test
    void what_is_read_back_is_what_was_rendered(@TempDir Path directory) throws IOException {
        write(directory, Split.HELD_OUT, 5);
        EditTasks tasks = new EditTasks(32, 5, TaskMix.all());
        DatasetDirectory dataset = new DatasetDirectory(directory);
        try (DatasetReader reader = dataset.reader(Split.HELD_OUT)) {
            for (int i = 0; i < ROWS; i++) {
                EditTask task = tasks.render(Split.HELD_OUT, i);
                assertThat(reader.next()).isInstanceOfSatisfying(DatasetLine.Usable.class, line -> {
                    assertThat(line.id()).isEqualTo(task.id());
                    assertThat(line.row().prompt()).isEqualTo(task.instruction());
                    assertThat(line.row().requirement()).isEqualTo(task.requirement());
                    assertThat(line.row().taskType()).isEqualTo(task.type().label());
                    assertThat(line.row().fields())
                            .containsEntry(RenderedDataset.COMBINATION, '"' + task.combination() + '"');
                    assertThat(line.images())
                            .isEqualTo(new DatasetImages(task.source(), task.target(), task.reference()));
                });
                RgbImage mask =
                        RgbImage.decode(Files.readAllBytes(directory.resolve("images/" + task.id() + "-mask.png")));
                for (int p = 0; p < task.mask().length; p++) {
                    assertThat(mask.channel(p % 32, p / 32, 1)).isEqualTo(task.mask()[p] ? 255 : 0);
                }
            }
            assertThat(reader.next()).isNull();
        }
    }

    @Test
    void splits_in_one_directory_share_no_combination_and_no_picture_file(@TempDir Path directory) throws IOException {
        Map<String, Split> splitOf = new HashMap<>();
        Set<String> files = new HashSet<>();
        for (Split split : List.of(Split.TRAIN, Split.VALIDATION, Split.HELD_OUT)) {
            write(directory, split, 9);
            try (DatasetReader reader = new DatasetDirectory(directory).reader(split)) {
                for (DatasetLine line = reader.next(); line != null; line = reader.next()) {
                    assertThat(line).isInstanceOf(DatasetLine.Usable.class);
                    if (line instanceof DatasetLine.Usable usable) {
                        String combination = usable.row().fields().get(RenderedDataset.COMBINATION);
                        assertThat(splitOf.merge(String.valueOf(combination), split, (before, _) -> before))
                                .as(combination)
                                .isEqualTo(split);
                        assertThat(files.add(usable.row().image())).isTrue();
                    }
                }
            }
        }
    }
}

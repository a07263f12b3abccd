package darkroom.edittasks.tasks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import darkroom.edittasks.pictures.RgbImage;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class EditTasksTest {
    private static final int ROWS = 2000;

    private static void sameRow(EditTask a, EditTask b) {
        assertThat(a.id()).isEqualTo(b.id());
        assertThat(a.instruction()).isEqualTo(b.instruction());
        assertThat(a.source()).isEqualTo(b.source());
        assertThat(a.target()).isEqualTo(b.target());
        assertThat(a.reference()).isEqualTo(b.reference());
        assertThat(a.wrongTarget(0)).isEqualTo(b.wrongTarget(0));
        assertThat(a.wrongTarget(1)).isEqualTo(b.wrongTarget(1));
    }

    @Test
    void the_same_seed_gives_the_same_rows_in_any_order_and_any_instance() {
        EditTasks first = new EditTasks(32, 5, TaskMix.all());
        EditTasks second = new EditTasks(32, 5, TaskMix.all());
        List<EditTask> forwards = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            forwards.add(first.render(Split.TRAIN, i));
        }
        for (int i = 99; i >= 0; i--) {
            sameRow(second.render(Split.TRAIN, i), forwards.get(i));
        }
    }

    @Test
    void threads_that_share_one_instance_see_the_same_rows() throws Exception {
        EditTasks shared = new EditTasks(32, 6, TaskMix.all());
        List<Future<EditTask>> rows = new ArrayList<>();
        try (ExecutorService threads = Executors.newFixedThreadPool(4)) {
            for (int i = 0; i < 200; i++) {
                int index = i % 50;
                rows.add(threads.submit(() -> shared.render(Split.HELD_OUT, index)));
            }
        }
        for (int i = 50; i < rows.size(); i++) {
            sameRow(rows.get(i).get(), rows.get(i - 50).get());
        }
    }

    @Test
    void another_seed_split_or_index_gives_another_row() {
        EditTasks tasks = new EditTasks(32, 5, TaskMix.all());
        EditTask row = tasks.render(Split.TRAIN, 0);
        assertThat(new EditTasks(32, 6, TaskMix.all()).render(Split.TRAIN, 0).id())
                .isNotEqualTo(row.id());
        assertThat(tasks.render(Split.HELD_OUT, 0).id()).isNotEqualTo(row.id());
        Set<RgbImage> sources = new HashSet<>();
        for (int i = 0; i < 500; i++) {
            sources.add(tasks.render(Split.TRAIN, i).source());
        }
        assertThat(sources).hasSizeGreaterThan(490);
    }

    @ParameterizedTest
    @EnumSource(TaskType.class)
    void every_task_type_renders_in_every_split_and_both_sizes(TaskType type) {
        for (int size : new int[] {32, 64}) {
            EditTasks tasks = new EditTasks(size, 1, TaskMix.evenly(List.of(type)));
            for (Split split : Split.values()) {
                for (int i = 0; i < 15; i++) {
                    EditTask task = tasks.render(split, i);
                    assertThat(task.type()).isEqualTo(type);
                    assertThat(task.source().width()).isEqualTo(size);
                    assertThat(task.target()).isNotEqualTo(task.source());
                    assertThat(task.wrongTarget(0)).as(task.instruction()).isNotEqualTo(task.target());
                    assertThat(task.wrongTarget(1)).as(task.instruction()).isNotEqualTo(task.target());
                    assertThat(task.reference() != null).isEqualTo(type == TaskType.REFERENCE);
                    assertThat(task.requirement()).isNotEmpty();
                }
            }
        }
    }

    @Test
    void wrong_targets_lie_far_below_the_exact_target() {
        EditTasks tasks = new EditTasks(32, 2, TaskMix.all());
        for (int i = 0; i < ROWS; i++) {
            EditTask task = tasks.render(Split.TRAIN, i);
            for (int which = 0; which < EditTask.WRONG_TARGETS; which++) {
                assertThat(GroundTruth.measure(task.source(), task.wrongTarget(which), task.target())
                                .score())
                        .as("%s: %s, wrong target %d", task.id(), task.instruction(), which)
                        .isLessThan(.98);
            }
        }
    }

    @Test
    void no_combination_of_task_subject_and_attribute_stands_in_two_splits() {
        EditTasks tasks = new EditTasks(32, 3, TaskMix.all());
        Map<String, Split> splitOf = new HashMap<>();
        for (Split split : Split.values()) {
            for (int i = 0; i < ROWS; i++) {
                String combination = tasks.render(split, i).combination();
                assertThat(splitOf.putIfAbsent(combination, split))
                        .as(combination)
                        .isIn(null, split);
            }
        }
    }

    @Test
    void held_out_pairs_are_never_trained_whatever_stands_beside_them() {
        EditTasks tasks =
                new EditTasks(32, 3, TaskMix.evenly(List.of(TaskType.ADD, TaskType.REPLACE, TaskType.REMOVE)));
        Set<String> trained = new HashSet<>();
        Set<String> heldOut = new HashSet<>();
        for (int i = 0; i < ROWS; i++) {
            trained.add(tasks.render(Split.TRAIN, i).combination());
            heldOut.add(tasks.render(Split.HELD_OUT, i).combination());
        }
        assertThat(heldOut).isNotEmpty().doesNotContainAnyElementsOf(trained);
    }

    @Test
    void every_object_colour_and_background_of_a_held_out_row_is_trained_in_another_task() {
        EditTasks tasks = new EditTasks(32, 3, TaskMix.all());
        Set<String> trained = new HashSet<>();
        for (int i = 0; i < 5 * ROWS; i++) {
            trained.addAll(List.of(tasks.render(Split.TRAIN, i).combination().split("/")));
        }
        for (int i = 0; i < ROWS; i++) {
            EditTask task = tasks.render(Split.HELD_OUT, i);
            if (task.type() != TaskType.TEXT && task.type() != TaskType.ACTION) {
                assertThat(trained).contains(task.combination().split("/"));
            }
        }
    }

    @Test
    void unseen_objects_words_and_backgrounds_are_named_in_no_other_split() {
        EditTasks tasks = new EditTasks(32, 4, TaskMix.all());
        Set<String> unseen = new HashSet<>();
        for (int i = 0; i < TaskMix.OBJECTS_EMBEDDED; i++) {
            if (Catalogue.unseen(i)) {
                unseen.add(Catalogue.OBJECTS.get(i).say());
            }
        }
        assertThat(unseen).hasSize(TaskMix.OBJECTS_EMBEDDED / 12);
        for (Split split : List.of(Split.TRAIN, Split.VALIDATION, Split.HELD_OUT)) {
            for (int i = 0; i < ROWS; i++) {
                EditTask task = tasks.render(split, i);
                if (task.type() == TaskType.ACTION) {
                    continue;
                }
                for (String word : unseen) {
                    assertThat(" " + task.instruction() + " ").doesNotContain(" " + word + " ");
                }
            }
        }
    }

    @Test
    void the_mask_is_where_source_and_target_differ_and_is_never_tiny() {
        EditTasks tasks = new EditTasks(32, 8, TaskMix.all());
        for (int i = 0; i < 300; i++) {
            EditTask task = tasks.render(Split.TRAIN, i);
            int changed = 0;
            boolean[] mask = task.mask();
            for (int p = 0; p < mask.length; p++) {
                int most = 0;
                for (int c = 0; c < 3; c++) {
                    most = Math.max(
                            most,
                            Math.abs(task.source().channel(p % 32, p / 32, c)
                                    - task.target().channel(p % 32, p / 32, c)));
                }
                assertThat(mask[p]).isEqualTo(most >= 16);
                changed += mask[p] ? 1 : 0;
            }
            assertThat(changed).as(task.instruction()).isGreaterThanOrEqualTo(8);
        }
    }

    @Test
    void the_types_of_a_mix_come_as_often_as_their_weights_say() {
        EnumMap<TaskType, Double> weights = new EnumMap<>(TaskType.class);
        weights.put(TaskType.ADD, 3.0);
        weights.put(TaskType.TEXT, 1.0);
        EditTasks tasks = new EditTasks(32, 8, new TaskMix(weights, TaskMix.OBJECTS_MAX));
        int added = 0;
        for (int i = 0; i < 1000; i++) {
            added += tasks.render(Split.TRAIN, i).type() == TaskType.ADD ? 1 : 0;
        }
        assertThat(added).isBetween(700, 800);
    }

    @Test
    void nonsense_is_refused_with_what_is_allowed() {
        assertThatThrownBy(() -> new EditTasks(48, 0, TaskMix.all())).hasMessageContaining("32 or 64");
        assertThatThrownBy(() -> TaskMix.named(List.of("paint")))
                .hasMessageContaining("'paint'")
                .hasMessageContaining("red-box");
        assertThatThrownBy(() -> new TaskMix(Map.of(), 48)).hasMessageContaining("weight");
        assertThatThrownBy(() -> new TaskMix(Map.of(TaskType.ADD, 1.0), 7)).hasMessageContaining("24");
    }
}

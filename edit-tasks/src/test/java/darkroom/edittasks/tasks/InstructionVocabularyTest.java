package darkroom.edittasks.tasks;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;

class InstructionVocabularyTest {
    private final InstructionVocabulary vocabulary = InstructionVocabulary.embedded();

    private String read(String instruction) {
        return vocabulary.decode(vocabulary.encode(instruction));
    }

    @Test
    void drawn_instructions_have_no_unknown_words_and_fit() {
        EditTasks tasks = new EditTasks(32, 11, TaskMix.all());
        EditTasks wide = new EditTasks(32, 12, new TaskMix(TaskMix.all().weights(), TaskMix.OBJECTS_MAX));
        for (Split split : Split.values()) {
            for (int i = 0; i < 1500; i++) {
                for (EditTasks each : new EditTasks[] {tasks, wide}) {
                    String instruction = each.render(split, i).instruction();
                    assertThat(vocabulary.unknownWords(instruction))
                            .as(instruction)
                            .isEmpty();
                    assertThat(vocabulary.tokens(instruction))
                            .as(instruction)
                            .isBetween(1, InstructionVocabulary.LENGTH);
                }
            }
        }
    }

    @Test
    void two_instructions_with_different_meaning_never_have_the_same_tokens() {
        EditTasks tasks = new EditTasks(32, 13, new TaskMix(TaskMix.all().weights(), TaskMix.OBJECTS_MAX));
        Map<String, String> meaningOf = new HashMap<>();
        for (int i = 0; i < 8000; i++) {
            EditTask task = tasks.render(Split.TRAIN, i);
            String meaning = task.type()
                    + switch (task.type()) {
                        case ADD, ADJUST, REPLACE, BACKGROUND, EXTRACT, ACTION, TEXT, RED_BOX, REFERENCE ->
                            task.requirement();
                        case REMOVE -> task.combination();
                        case STYLE ->
                            task.combination().substring(task.combination().lastIndexOf('/'));
                        case HYBRID -> task.instruction().replace("set the", "change the");
                    };
            String tokens = Arrays.toString(vocabulary.encode(task.instruction()));
            assertThat(meaningOf.putIfAbsent(tokens, meaning))
                    .as(task.instruction())
                    .isIn(null, meaning);
        }
    }

    @Test
    void wordings_of_one_meaning_share_their_tokens() {
        assertThat(read("Erase the dog!")).isEqualTo("remove dog").isEqualTo(read("please DELETE the dog"));
        assertThat(read("Make the balloon violet.")).isEqualTo("make balloon purple");
        assertThat(read("add a light bulb on the left")).isEqualTo("add light bulb left");
        assertThat(read("remove the apples")).isEqualTo("remove apple");
        assertThat(read("put the object of image 2 on the right")).isEqualTo("add reference right");
    }

    @Test
    void the_new_word_of_a_sign_is_spelled_and_the_old_one_dropped() {
        String open = "make text letter O letter P letter E letter N";
        assertThat(read("change the sign to OPEN")).isEqualTo(open);
        assertThat(read("change the sign to open")).isEqualTo(open);
        assertThat(read("change KEY to OPEN")).isEqualTo(open);
        assertThat(read("make the sign say \"open\"")).isEqualTo(open);
        assertThat(read("open the umbrella")).isEqualTo("open umbrella");
    }

    @Test
    void words_without_a_token_are_reported_in_order() {
        assertThat(vocabulary.unknownWords("add a purple wombat to the verandah"))
                .containsExactly("wombat", "verandah");
    }

    /** F11. */
    @Test
    void what_is_beyond_the_tenth_token_is_named() {
        String ten = "make the balloon red and the car blue and the house green and add a dog";
        List<String> beyond = vocabulary.wordsBeyond(ten + " and add a cat");
        assertThat(beyond).hasSize(vocabulary.tokens(ten + " and add a cat") - InstructionVocabulary.LENGTH);
        assertThat(beyond).isNotEmpty().endsWith("cat");
        assertThat(vocabulary.wordsBeyond("make the balloon red")).isEmpty();
    }

    @Test
    void the_first_and_last_tokens_stay_where_shipped_weights_expect_them() {
        assertThat(vocabulary.name(1)).isEqualTo("make");
        assertThat(vocabulary.name(2)).isEqualTo("add");
        assertThat(vocabulary.name(vocabulary.size() - 1)).isEqualTo("text");
        assertThat(vocabulary.size()).isEqualTo(248);
    }

    @Property(tries = 300)
    void any_text_has_exactly_ten_tokens_within_the_vocabulary(@ForAll String text) {
        assertThat(vocabulary.encode(text)).hasSize(10);
        assertThat(Arrays.stream(vocabulary.encode(text)).allMatch(t -> t >= 0 && t < vocabulary.size()))
                .isTrue();
    }
}

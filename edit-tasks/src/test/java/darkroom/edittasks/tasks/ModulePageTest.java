package darkroom.edittasks.tasks;

import static org.assertj.core.api.Assertions.assertThat;

import darkroom.edittasks.datasets.CurationRule;
import darkroom.edittasks.datasets.DatasetFault;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** Tests that the lists in the module's page are complete. */
class ModulePageTest {
    @Test
    void every_task_type_split_fault_and_rule_is_listed() throws IOException {
        String page = Files.readString(Path.of("README.md"));
        assertThat(Arrays.stream(TaskType.values()).map(TaskType::label))
                .allSatisfy(label -> assertThat(page).contains("| `" + label + "` |"));
        assertThat(Arrays.stream(Split.values()).map(Split::label))
                .allSatisfy(label -> assertThat(page).contains("| `" + label + "` |"));
        assertThat(Arrays.stream(DatasetFault.values()).map(DatasetFault::label))
                .allSatisfy(label -> assertThat(page).contains("`" + label + "`"));
        assertThat(Arrays.stream(CurationRule.values()).map(CurationRule::label))
                .allSatisfy(label -> assertThat(page).contains("| `" + label + "` |"));
    }
}

package darkroom.runtime.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import darkroom.actors.cluster.ClusterStatus;
import darkroom.actors.cluster.NodeRegistry;
import darkroom.actors.workqueue.WorkQueueReport;
import darkroom.runtime.StatusCommand;
import darkroom.runtime.base.CommandFailedException;
import darkroom.runtime.base.ProcessSpace;
import darkroom.runtime.faults.NodeFaults;
import darkroom.runtime.report.StatusTable;
import darkroom.tensors.AliveFile;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StatusPageTest {
    private static final ActorTestKit KIT = ActorTestKit.create();
    private static final HttpClient HTTP =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    @TempDir
    Path place = Path.of("unset");

    @AfterAll
    static void close() {
        KIT.shutdownTestKit();
        HTTP.close();
    }

    private StatusDirectory directory() throws IOException {
        int uid = (int) Files.getAttribute(place, "unix:uid");
        return new StatusDirectory(List.of(place.resolve("darkroom")), uid);
    }

    private StatusPage page(Duration within) throws IOException {
        return StatusPage.open(
                0,
                KIT::system,
                () -> KIT.createTestProbe(NodeRegistry.Command.class).getRef(),
                NodeFaults.NONE,
                directory(),
                within);
    }

    /** P-4. */
    @Test
    void a_control_node_that_is_stopped_is_an_answer_and_no_broken_connection()
            throws IOException, InterruptedException {
        try (StatusPage page = page(Duration.ofMillis(50))) {
            HttpResponse<String> answer = HTTP.send(
                    HttpRequest.newBuilder(URI.create(page.url())).build(), HttpResponse.BodyHandlers.ofString());
            assertThat(answer.statusCode()).isEqualTo(504);
            assertThat(answer.body()).contains("the control node did not answer within 50 ms");
        }
    }

    @Test
    void a_process_that_is_stopped_delays_no_answer_and_is_named_where_it_is_the_only_one()
            throws IOException, InterruptedException {
        try (ServerSocket stopped = new ServerSocket(0, 8, InetAddress.getLoopbackAddress());
                StatusPage page = page(Duration.ofMillis(50))) {
            String hung = "http://127.0.0.1:" + stopped.getLocalPort() + "/status";
            assertThatThrownBy(() -> StatusCommand.ask(HTTP, List.of(hung), Duration.ofMillis(100)))
                    .isInstanceOf(CommandFailedException.class)
                    .hasMessageContaining(hung)
                    .hasMessageContaining("stopped or overloaded")
                    .hasMessageNotContaining("Exception");
            long begin = System.nanoTime();
            assertThatThrownBy(() -> StatusCommand.ask(HTTP, List.of(hung, page.url()), Duration.ofMillis(500)))
                    .as("each page has a line of its own")
                    .hasMessageContaining(hung)
                    .hasMessageContaining(page.url());
            assertThat(Duration.ofNanos(System.nanoTime() - begin))
                    .as("asked at the same time")
                    .isLessThan(Duration.ofMillis(950));
        }
    }

    @Test
    void pages_are_found_in_a_directory_that_is_the_users_alone() throws IOException {
        try (StatusPage page = page(Duration.ofMillis(50))) {
            long self = ProcessHandle.current().pid();
            assertThat(directory().pages()).containsExactly(new StatusPage.Found(self, page.url(), true));
            assertThat(directory().page(self)).contains(page.url());
            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(place.resolve("darkroom/nodes"))))
                    .isEqualTo("rwx------");
        }
        assertThat(directory().pages()).isEmpty();
    }

    /** In a container that shares the directory, process 1 is another process, and 127.0.0.1 may be too. */
    @Test
    void a_page_of_another_namespace_is_not_this_processes_and_is_found_only_by_its_own_loopback() throws IOException {
        StatusDirectory pages = directory();
        Path nodes = pages.make();
        long self = ProcessHandle.current().pid();
        String near = "http://127.0.0.1:1/status";
        try (AliveFile _ = AliveFile.create(nodes.resolve(self + "-0a.alive"));
                AliveFile _ = AliveFile.create(nodes.resolve(self + "-0b.alive"))) {
            Files.write(nodes.resolve(self + "-0a.url"), List.of(near, "another", ProcessSpace.HERE.network()));
            Files.write(nodes.resolve(self + "-0b.url"), List.of(near, "another", "another"));
            Files.write(nodes.resolve(self + "-0c.url"), StatusDirectory.lines(near)); // nobody holds its lock
            assertThat(pages.pages()).containsExactly(new StatusPage.Found(self, near, false));
            assertThat(pages.page(self)).isEmpty();
            assertThat(nodes.resolve(self + "-0b.url")).exists();
            assertThat(nodes.resolve(self + "-0c.url")).doesNotExist();
        }
    }

    @Test
    void a_directory_that_another_user_can_write_to_is_refused_with_its_mode() throws IOException {
        Path open = place.resolve("darkroom");
        Files.createDirectories(open.resolve("nodes"));
        Files.setPosixFilePermissions(open, PosixFilePermissions.fromString("rwxrwxrwx"));
        assertThatThrownBy(() -> page(Duration.ofMillis(50)))
                .isInstanceOf(CommandFailedException.class)
                .hasMessageContaining(open.toString())
                .hasMessageContaining("rwxrwxrwx")
                .hasMessageContaining("XDG_RUNTIME_DIR");
        assertThatThrownBy(() -> directory().pages()).isInstanceOf(CommandFailedException.class);
    }

    @Test
    void a_directory_of_another_user_and_a_link_are_refused() throws IOException {
        Path own = Files.createDirectory(
                place.resolve("darkroom"),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        StatusDirectory others = new StatusDirectory(List.of(own), 4711);
        assertThatThrownBy(others::make).hasMessageContaining("expected a directory of user 4711");

        Files.delete(own);
        Files.createSymbolicLink(own, Files.createDirectory(place.resolve("elsewhere")));
        assertThatThrownBy(() -> directory().make()).hasMessageContaining("no directory");
    }

    @Test
    void neither_home_nor_user_is_needed_to_find_pages() {
        assertThat(StatusDirectory.of(Map.of()).page(Long.MAX_VALUE)).isEmpty();
    }

    /** P-4. */
    @Test
    void a_queue_without_workers_says_for_which_role_the_run_waits() {
        WorkQueueReport rollout = new WorkQueueReport("rollout", 3, 3, 90_000, Optional.of("nobody"), List.of());
        assertThat(String.join(
                        "\n",
                        new StatusTable()
                                .lines(new ClusterStatus("run", "training", 1, 4, 1, List.of(), List.of(rollout)))))
                .contains("waits for a node with role rollout, for 90.0 s")
                .doesNotContain("nobody");
    }
}

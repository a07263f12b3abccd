package darkroom.runtime.run;

import darkroom.gpuworkers.checkpoints.Checkpoints;
import darkroom.gpuworkers.models.PolicyModel;
import darkroom.runtime.base.RunJournal;
import darkroom.runtime.report.LiveView;
import java.util.Optional;

/**
 * The open resources of a working run.
 *
 * @param policy the model of the run
 * @param journal of the run's ledger
 * @param loaded the checkpoint that the run resumes from; absent for a new run
 */
record SessionResources(
        LiveView view,
        PolicyModel policy,
        Scorers scorers,
        RunEnvironment environment,
        RunJournal journal,
        Optional<Checkpoints.Loaded> loaded) {}

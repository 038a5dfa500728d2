package org.hindmq.interop;

import java.util.concurrent.locks.LockSupport;

import javax.jms.JMSException;
import javax.jms.MessageProducer;
import javax.jms.Session;

/** One durable send at a time; after an exception the same id again until it is confirmed, so order is the ids' order. */
final class Sender implements Runnable {
   private final Load load;
   private final String name;
   private final String queue;
   private final Link link;
   private MessageProducer producer;

   Sender(Load load, String name, String queue) {
      this.load = load;
      this.name = name;
      this.queue = queue;
      this.link = new Link(load, name, Session.AUTO_ACKNOWLEDGE);
   }

   @Override
   public void run() {
      for (long seq = 0; !load.producersStop; seq++) {
         String id = load.prefix + "/" + name + "-" + seq;
         while (!send(id, seq)) { }
         LockSupport.parkNanos(load.pauseNanos);
      }
      link.close();
   }

   private boolean send(String id, long seq) {
      Session s = link.session(() -> false);
      load.log.write(new EventLog.Line("send.invoke").add("p", name).add("q", queue).add("s", seq).add("id", id));
      try {
         if (producer == null) producer = s.createProducer(s.createQueue(queue));
         producer.send(Payload.message(s, id, load.bodySize));
         load.confirmed.add(id);
         load.log.write(new EventLog.Line("send.ok").add("id", id));
         return true;
      } catch (JMSException e) {
         load.log.write(new EventLog.Line("send.info").add("id", id).add("err", Load.text(e)));
         if (link.failed(e)) producer = null;
         return false;
      }
   }
}
